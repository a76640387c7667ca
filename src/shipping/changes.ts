import type { Baseline, MetricFamily, MetricsSnapshot, SeriesPoint } from "../metrics/index.js";
import { ExactSum } from "../sketch/index.js";
import type { Cell, CellChange, CellKind, Slot } from "../store/index.js";
import { cellKindOf } from "./definitions.js";
import { distributionBetween } from "./distribution.js";

/** One series' change since it was last shipped. */
export interface SeriesChange {
  readonly family: MetricFamily;
  readonly kind: CellKind;
  readonly point: SeriesPoint;
  readonly change: CellChange;
}

/** Where a gauge's value stands among all that were ever shipped. */
export interface ShipmentPlace {
  readonly instance: string;
  readonly sequence: number;
}

/** Event time of a shipment is the second in which its snapshot was taken: finer than that no store keeps. */
const slotMs = 1_000;

/**
 * What a snapshot has more than was shipped, series by series; nothing for those that did not change. Gauges are shipped each time.
 * @param onDropped told of numbers that are not finite, which no store takes
 */
export function changesSince(
  baseline: Baseline,
  snapshot: MetricsSnapshot,
  place: ShipmentPlace,
  onDropped: () => void,
): readonly SeriesChange[] {
  const slot: Slot = { startMs: Math.floor(snapshot.atMs / slotMs) * slotMs, widthMs: slotMs };
  return snapshot.families.flatMap((family) => {
    const kind = cellKindOf(family);
    if (kind === undefined) return [];
    const formerOf = baseline.of(family);
    return (family.points as readonly SeriesPoint[]).flatMap((point) => {
      const isShippable = !("value" in point) || Number.isFinite(point.value);
      if (!isShippable) onDropped();
      const cell = isShippable
        ? cellBetween(kind, point, formerOf(point), { ...place, atMs: snapshot.atMs })
        : undefined;
      if (cell === undefined) return [];
      const group = point.isOverflow === true ? family.labelNames.map(() => null) : point.labels;
      return { family, kind, point, change: { group, slot, cell } };
    });
  });
}

function cellBetween(
  kind: CellKind,
  point: SeriesPoint,
  former: SeriesPoint | undefined,
  { instance, sequence, atMs }: ShipmentPlace & { readonly atMs: number },
): Cell | undefined {
  if ("histogram" in point) {
    const older = former !== undefined && "histogram" in former ? former.histogram : undefined;
    const histogram = distributionBetween(point.histogram, older);
    return histogram === undefined ? undefined : { kind: "distribution", histogram };
  }
  if (!("value" in point)) return undefined;
  if (kind === "gauge")
    return { kind, n: 1, value: point.value, atMs, source: instance, place: sequence, index: 0 };
  // Exact, so that all differences together are the counter's value, also of fractions.
  const sum = new ExactSum();
  sum.add(point.value);
  if (former !== undefined && "value" in former) sum.subtract(former.value);
  return sum.value() === 0 ? undefined : { kind: "sum", n: 1, sum };
}
