import type { GroupAnswer, MetricAnswer } from "../pipeline/index.js";
import { countText, shareText, valueText } from "./numbers.js";
import { type Column, printable, table } from "./table.js";
import type { Terminal } from "./terminal.js";

/** What of a metric is shown as text. */
export type ShownMetric = Pick<MetricAnswer, "name" | "kind" | "unit"> & {
  readonly by: readonly string[];
  readonly groups: readonly GroupAnswer[];
  readonly all?: GroupAnswer;
  readonly groupsLeftOut?: number;
};

/** Groups shown of one metric; `--json` has them all. */
const rowsMax = 20;

/** A metric as a table that fits the terminal, the largest groups first. */
export function metricLines(metric: ShownMetric, terminal: Terminal): string[] {
  const groups = [...metric.groups].sort((a, b) => b.n - a.n).slice(0, rowsMax);
  const total = metric.groups.reduce((sum, group) => sum + group.n, 0);
  const labels: Column[] = metric.by.map((title) => ({
    title: printable(title),
    align: "left",
    isCuttable: true,
  }));
  const { columns, cells } = numbersOf(metric.kind, total);
  const rows = groups.map((group) => [...metric.by.map((field) => labelOf(group, field)), ...cells(group)]);
  const { header, lines } = table([...labels, ...columns], rows, terminal.columns - 2);
  const left = metric.groups.length - groups.length + (metric.groupsLeftOut ?? 0);
  const title = `${terminal.style("bold", printable(metric.name))}${metric.unit === undefined ? "" : `  in ${metric.unit}`}`;
  return [
    title,
    `  ${terminal.style("dim", header)}`,
    ...lines.map((line) => `  ${line}`),
    ...(groups.length === 0 ? ["  nothing yet"] : []),
    ...(left > 0 ? [`  and ${countText(left)} more groups (--json shows them)`] : []),
  ];
}

function labelOf(group: GroupAnswer, field: string): string {
  if (group.isOverflow) return "(all others)";
  const value = group.by[field];
  if (value === null || value === undefined) return "–";
  return value === "" ? '""' : printable(value);
}

type Numbers = { readonly columns: readonly Column[]; readonly cells: (group: GroupAnswer) => string[] };

function numbersOf(kind: MetricAnswer["kind"], total: number): Numbers {
  const right = (title: string, drop?: number): Column => ({
    title,
    align: "right",
    ...(drop === undefined ? {} : { drop }),
  });
  switch (kind) {
    case "distribution":
      return {
        columns: [
          right("n"),
          right("min", 2),
          right("mean", 3),
          right("p50"),
          right("p90", 4),
          right("p95"),
          right("p99", 1),
          right("max", 0),
        ],
        cells: (group) => [
          countText(group.n),
          ...[group.min, group.mean, group.p50, group.p90, group.p95, group.p99, group.max].map(valueText),
        ],
      };
    case "ratio":
      return {
        columns: [right("share"), right("of", 0)],
        cells: (group) => [shareText(group.value), countText(group.n)],
      };
    case "count":
      return {
        columns: [right("count"), right("share", 0)],
        cells: (group) => [valueText(group.value), shareText(total === 0 ? null : group.n / total)],
      };
    case "rate":
      return { columns: [right("per second")], cells: (group) => [valueText(group.value)] };
    default:
      return {
        columns: [right(kind === "sum" ? "sum" : "latest"), right("n", 0)],
        cells: (group) => [valueText(group.value), countText(group.n)],
      };
  }
}
