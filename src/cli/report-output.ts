import type { GroupAnswer, MetricRule } from "../pipeline/index.js";
import { compareGroups, type LedgerSum, ledgerFields } from "../store/index.js";
import { metricLines } from "./answer-text.js";
import { equation } from "./ledger-text.js";
import { shownName } from "./rules-from-options.js";
import type { Terminal } from "./terminal.js";

/** What a finished read has to say, in the words of the engine. */
export interface ReportData {
  readonly ledger: LedgerSum;
  readonly metrics: readonly {
    readonly name: string;
    readonly kind: MetricRule["kind"];
    readonly unit?: string;
    readonly groups: readonly GroupAnswer[];
  }[];
}

/** The document of `report --json`, schema poundlock.report/1; groups in order of their values' bytes. */
export function reportJson(report: ReportData, rules: readonly MetricRule[]): string {
  const metrics = report.metrics.map((metric) => {
    const by = rules.find(({ name }) => name === metric.name)?.by ?? [];
    const groups = [...metric.groups].sort((a, b) => compareGroups(groupOf(a, by), groupOf(b, by)));
    const items = groups.map((group) => groupJson(metric.kind, group));
    // Without groups a count always has its one number, also when it is 0.
    const zero =
      metric.kind === "count" && by.length === 0 && items.length === 0 ? [{ by: {}, value: 0 }] : [];
    return {
      name: shownName(metric.name),
      kind: metric.kind,
      ...(metric.unit === undefined ? {} : { unit: metric.unit }),
      groups: [...items, ...zero],
    };
  });
  const ledger = Object.fromEntries(ledgerFields.map((field) => [field, report.ledger[field]]));
  return JSON.stringify({ schema: "poundlock.report/1", ledger, metrics });
}

function groupOf(group: GroupAnswer, by: readonly string[]): (string | null)[] {
  return by.map((field) => group.by[field] ?? null);
}

function groupJson(kind: MetricRule["kind"], group: GroupAnswer): object {
  const { by, isOverflow, value, n, min, max, mean, p50, p90, p95, p99 } = group;
  const base = { by, ...(isOverflow === undefined ? {} : { isOverflow }) };
  if (kind === "distribution") return { ...base, n, min, max, mean, p50, p90, p95, p99 };
  return kind === "count" ? { ...base, value: value ?? n } : { ...base, value: value ?? null, n };
}

export function reportLines(report: ReportData, rules: readonly MetricRule[], terminal: Terminal): string[] {
  const blocks = report.metrics.flatMap((metric) => {
    const by = rules.find(({ name }) => name === metric.name)?.by ?? [];
    return [...metricLines({ ...metric, name: shownName(metric.name), by }, terminal), ""];
  });
  return [...blocks, `${terminal.style("bold", "ledger")}  ${equation(report.ledger)}`];
}
