import type { GaugeMerge, MetricFamily } from "../snapshot.js";

/** What two families of one name must share to be one metric. */
export interface FamilyShape {
  readonly kind: MetricFamily["kind"];
  readonly unit?: string;
  readonly labelNames: readonly string[];
  /** Of gauges. */
  readonly across?: GaugeMerge;
  /** Of windows that have a point: `samples`, or `recent` and for how long. */
  readonly window?: string;
}

export function shapeOf(family: MetricFamily): FamilyShape {
  const { kind, unit, labelNames } = family;
  const head = { kind, labelNames, ...(unit === undefined ? {} : { unit }) };
  if (kind === "gauge") return { ...head, across: family.across ?? "latest" };
  const window = kind === "window" ? windowOf(family) : undefined;
  return window === undefined ? head : { ...head, window };
}

function windowOf({ points }: MetricFamily & { readonly kind: "window" }): string | undefined {
  const values = points[0]?.values;
  if (values === undefined) return undefined;
  return values.kind === "samples" ? "samples" : `recent ${values.forMs} ms`;
}

/** The same label names in another order are the same shape. */
export function isSameShape(a: FamilyShape, b: FamilyShape): boolean {
  const isSameWindow = a.window === undefined || b.window === undefined || a.window === b.window;
  return (
    a.kind === b.kind &&
    a.unit === b.unit &&
    a.across === b.across &&
    isSameWindow &&
    a.labelNames.length === b.labelNames.length &&
    labelOrder(b.labelNames, a.labelNames).every((index) => index !== -1)
  );
}

/** For each of `wanted`, where it stands in `given`; -1 where it does not. */
export function labelOrder(given: readonly string[], wanted: readonly string[]): readonly number[] {
  return wanted.map((name) => given.indexOf(name));
}

/** For people: `counter in s by ["route", "method"]`. */
export function describeShape({ kind, unit, labelNames, across, window }: FamilyShape): string {
  const parts = [
    ...(across === undefined ? [] : [`(${across})`]),
    ...(window === undefined ? [] : [`(${window})`]),
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(labelNames.length === 0 ? [] : [`by ${JSON.stringify(labelNames)}`]),
  ];
  return [kind, ...parts].join(" ");
}
