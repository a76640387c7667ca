import {
  type Cell,
  type CellPage,
  copyCell,
  countOf,
  emptyCell,
  type Group,
  type GroupCells,
  groupKey,
  mergeCell,
} from "../store/index.js";
import type { AnswerSpan, GroupAnswer, MetricAnswer } from "./answer.js";
import type { ReadMetric } from "./compile.js";

/** Everything a metric keeps over one span, merged to one cell per group. */
export interface Gathered {
  readonly groups: readonly { readonly group: Group; readonly isOverflow: boolean; readonly cell: Cell }[];
  readonly page: Omit<CellPage, "groups" | "next">;
}

export function describe(metric: ReadMetric): Pick<MetricAnswer, "name" | "kind"> & { unit?: string } {
  const { rule } = metric;
  return { name: rule.name, kind: rule.kind, ...("unit" in rule ? { unit: rule.unit } : {}) };
}

export function pick(
  page: Gathered["page"],
): Pick<MetricAnswer, "sinceMs" | "late" | "future" | "untimed" | "generation" | "version"> {
  const { sinceMs, late, future, untimed, generation, version } = page;
  return { sinceMs, late, future, untimed, generation, version };
}

export function isAtLeast(span: AnswerSpan, { page, groups }: Gathered): boolean {
  if (groups.some(({ isOverflow }) => isOverflow)) return true;
  if (span.kind === "total" || page.completeFromMs === undefined) return false;
  return span.fromMs < page.completeFromMs;
}

export function toAnswers(
  metric: ReadMetric,
  span: AnswerSpan,
  parts: Gathered,
  whole: Gathered | undefined,
): GroupAnswer[] {
  if (whole === undefined) {
    return parts.groups.map(({ group, isOverflow, cell }) =>
      toAnswer(metric, span, { group, isOverflow, cell, whole: undefined }),
    );
  }
  const byKey = new Map(parts.groups.map((one) => [keyOf(one), one.cell]));
  return whole.groups.map((one) => {
    const cell = byKey.get(keyOf(one)) ?? emptyCell("count");
    return toAnswer(metric, span, { ...one, cell, whole: one.cell });
  });
}

function keyOf({ group, isOverflow }: { readonly group: Group; readonly isOverflow: boolean }): string {
  return isOverflow ? "overflow" : groupKey(group);
}

export function overAll(
  metric: ReadMetric,
  span: AnswerSpan,
  parts: Gathered,
  whole: Gathered | undefined,
): GroupAnswer {
  const cell = mergeAll(parts);
  const wholeCell = whole === undefined ? undefined : mergeAll(whole);
  if (cell === undefined && wholeCell === undefined) return { by: {}, n: 0, value: null };
  const own = cell ?? emptyCell("count");
  return { ...toAnswer(metric, span, { group: [], isOverflow: false, cell: own, whole: wholeCell }), by: {} };
}

function mergeAll({ groups }: Gathered): Cell | undefined {
  const first = groups[0];
  if (first === undefined) return undefined;
  const all = copyCell(first.cell);
  for (const { cell } of groups.slice(1)) mergeCell(all, cell);
  return all;
}

export function named(
  by: readonly string[],
  group: Group,
  isOverflow: boolean,
): Record<string, string | null> {
  // A path may be "__proto__": entries make it an ordinary key.
  return Object.fromEntries(
    by.map((field, index) => [field, isOverflow ? "(other)" : (group[index] ?? null)]),
  );
}

function toAnswer(
  metric: ReadMetric,
  span: AnswerSpan,
  from: {
    readonly group: Group;
    readonly isOverflow: boolean;
    readonly cell: Cell;
    readonly whole: Cell | undefined;
  },
): GroupAnswer {
  const { cell, isOverflow } = from;
  const head = {
    by: named(metric.by, from.group, isOverflow),
    ...(isOverflow ? { isOverflow: true as const } : {}),
  };
  const n = countOf(from.whole ?? cell);
  if (cell.kind === "distribution") {
    const { histogram } = cell;
    return {
      ...head,
      n,
      min: histogram.min,
      max: histogram.max,
      mean: histogram.mean,
      p50: histogram.quantile(0.5),
      p90: histogram.quantile(0.9),
      p95: histogram.quantile(0.95),
      p99: histogram.quantile(0.99),
    };
  }
  return { ...head, n, value: readValue(metric, cell, from.whole, span) };
}

function readValue(metric: ReadMetric, cell: Cell, whole: Cell | undefined, span: AnswerSpan): number | null {
  if (cell.kind === "sum") return cell.sum.value();
  if (cell.kind === "gauge") return cell.n === 0 ? null : cell.value;
  const n = countOf(cell);
  if (metric.rule.kind === "ratio") {
    const of = whole === undefined ? 0 : countOf(whole);
    return of === 0 ? null : n / of;
  }
  if (metric.rule.kind !== "rate") return n;
  return span.kind === "total" ? null : (n * 1000) / (span.toMs - span.fromMs);
}

export type Steps = (Cell | undefined)[];

/** A slot wider than a step, which only an older part of the window has, stands at its own start. */
/** All groups' cells as those of one group without fields. */
export function asOne(groups: readonly GroupCells[]): GroupCells {
  return { group: [], isOverflow: false, cells: groups.flatMap(({ cells }) => cells) };
}

export function toSteps(
  { cells }: GroupCells,
  shape: { readonly fromMs: number; readonly stepMs: number; readonly steps: number },
): Steps {
  const steps: Steps = new Array<Cell | undefined>(shape.steps).fill(undefined);
  for (const { startMs, cell } of cells) {
    const step = Math.max(0, Math.floor((startMs - shape.fromMs) / shape.stepMs));
    if (step >= shape.steps) continue;
    const known = steps[step];
    if (known === undefined) steps[step] = copyCell(cell);
    else mergeCell(known, cell);
  }
  return steps;
}

export function linesOf(
  metric: ReadMetric,
  steps: Steps,
  wholes: Steps | undefined,
  stepMs: number,
): Record<string, (number | null)[]> {
  if (steps.some((cell) => cell?.kind === "distribution")) {
    const quantile = (q: number) =>
      steps.map((cell) => (cell?.kind === "distribution" ? cell.histogram.quantile(q) : null));
    return {
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      n: steps.map((cell) => (cell ? countOf(cell) : 0)),
    };
  }
  const value = steps.map((cell, index) => {
    const span: AnswerSpan = { kind: "window", fromMs: 0, toMs: stepMs, anchor: "now" };
    const whole = wholes?.[index];
    if (metric.rule.kind === "ratio")
      return whole === undefined ? null : readValue(metric, cell ?? emptyCell("count"), whole, span);
    if (cell === undefined) return metric.rule.kind === "gauge" ? null : 0;
    return readValue(metric, cell, undefined, span);
  });
  return { value };
}
