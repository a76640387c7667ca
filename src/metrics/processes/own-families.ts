import type { MetricFamily, NumberFamily } from "../snapshot.js";
import type { RefusalReason } from "./reported.js";

type Values = Readonly<Record<string, number>>;

/** What gathering says about itself. */
export function ownFamilies(state: {
  readonly startedMs: number;
  readonly nowMs: number;
  readonly statuses: readonly { readonly name: string; readonly atMs: number; readonly isStale: boolean }[];
  readonly ended: number;
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  readonly residueSeries: number;
  readonly seriesRefused: number;
}): readonly MetricFamily[] {
  const { startedMs, nowMs, statuses, refusals } = state;
  const stale = statuses.filter(({ isStale }) => isStale);
  const states = { answering: statuses.length - stale.length, stale: stale.length };
  const ages = stale.map(({ name, atMs }) => [name, Math.max(0, nowMs - atMs) / 1_000] as const);
  const gauge = (head: Head, values: Values): NumberFamily => ({
    kind: "gauge",
    ...familyOf(head, values, { startedMs, setMs: nowMs }),
  });
  const counter = (head: Head, values: Values): NumberFamily => ({
    kind: "counter",
    ...familyOf(head, values, { startedMs }),
  });
  return [
    gauge(
      {
        name: "poundlock_metrics_processes",
        help: "Registries of other processes, by whether they answered",
        label: "state",
      },
      states,
    ),
    gauge(
      {
        name: "poundlock_metrics_process_stale_seconds",
        help: "Age of the numbers of each process that did not answer",
        label: "process",
        unit: "s",
      },
      Object.fromEntries(ages),
    ),
    gauge(
      {
        name: "poundlock_metrics_series_conflicting",
        help: "Series left out because their name has another meaning in another process",
      },
      { "": state.seriesRefused },
    ),
    gauge(
      { name: "poundlock_metrics_residue_series", help: "Series kept of processes that are gone" },
      { "": state.residueSeries },
    ),
    counter(
      { name: "poundlock_metrics_processes_ended_total", help: "Registries of processes that are gone" },
      { "": state.ended },
    ),
    counter(
      {
        name: "poundlock_metrics_reports_refused_total",
        help: "Reports of other processes that were not used",
        label: "reason",
      },
      refusals,
    ),
  ];
}

interface Head {
  readonly name: string;
  readonly help: string;
  readonly unit?: string;
  /** Named by the keys of the values; without it there is one value, and its key says nothing. */
  readonly label?: string;
}

function familyOf(
  { name, help, unit, label }: Head,
  values: Values,
  times: { readonly startedMs: number; readonly setMs?: number },
): Omit<NumberFamily, "kind"> {
  const points = Object.entries(values).map(([key, value]) => ({
    labels: label === undefined ? [] : [key],
    ...times,
    value,
  }));
  const labelNames = label === undefined ? [] : [label];
  return { name, help, ...(unit === undefined ? {} : { unit }), labelNames, points };
}
