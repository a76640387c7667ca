import { type Family, familyWord } from "./memory/families.js";
import { threadState, threadWord, word } from "./memory/layout.js";
import type { Segment } from "./memory/segment.js";
import type { MetricFamily, NumberFamily, NumberPoint } from "./snapshot.js";

/** Processes' registries together have the memory, series and threads of all. */
const ofAll = { across: "sum" } as const;

/** What the registry says about itself. Not part of the cut: as they are when the snapshot is made. */
export function ownFamilies(
  segment: Segment,
  families: readonly Family[],
  startedMs: number,
): MetricFamily[] {
  const { i32 } = segment;
  const load = (at: number): number => Atomics.load(i32, at) >>> 0;
  const of = (name: string, kind: NumberFamily["kind"], help: string, value: number): MetricFamily => ({
    name: `poundlock_metrics_${name}`,
    help,
    kind,
    ...(kind === "gauge" ? ofAll : {}),
    labelNames: [],
    points: [{ labels: [], startedMs, value }],
  });
  const byMetric = (name: string, kind: NumberFamily["kind"], help: string, at: number): MetricFamily => {
    const points: NumberPoint[] = [];
    for (const { unit, definition } of families) {
      const value = load(unit * 2 + at);
      if (value > 0) points.push({ labels: [definition.name], startedMs, value });
    }
    const across = kind === "gauge" ? ofAll : {};
    return { name: `poundlock_metrics_${name}`, help, kind, ...across, labelNames: ["metric"], points };
  };
  return [
    byMetric("series", "gauge", "Series of the registry, by metric", familyWord.series),
    byMetric(
      "series_refused_total",
      "counter",
      "Times that a series beyond the metric's cap was asked for and the overflow series was used",
      familyWord.refused,
    ),
    of(
      "series_expired_total",
      "counter",
      "Series forgotten because nobody recorded to them",
      load(word.seriesExpired),
    ),
    of(
      "records_dropped_total",
      "counter",
      "Records without memory for their series",
      load(word.recordsDropped),
    ),
    of("records_lost_total", "counter", "Records that a killed thread had begun", load(word.recordsLost)),
    of("threads", "gauge", "Threads that record", liveThreads(segment)),
    of("threads_ended_total", "counter", "Threads that recorded and have ended", load(word.threadsEnded)),
    of("memory_bytes", "gauge", "Memory of the registry in use", segment.usedBytes),
    of("memory_reserved_bytes", "gauge", "Address space of the registry", segment.unitsTotal * 8),
  ];
}

function liveThreads(segment: Segment): number {
  let live = 0;
  for (let slot = 0; slot < segment.threadsMax; slot += 1) {
    const state = Atomics.load(segment.i32, segment.threadUnit(slot) * 2 + threadWord.state);
    if (state === threadState.live || state === threadState.ended) live += 1;
  }
  return live;
}
