import { assertInvariant, type Clock } from "../base/index.js";
import {
  type Cell,
  type CellPage,
  type CellQuery,
  copyCell,
  countOf,
  emptyCell,
  type Group,
  type GroupCells,
  groupKey,
  type MetricKey,
  mergeCell,
  type SlotLevel,
  type Store,
} from "../store/index.js";
import type { AnswerSpan, GroupAnswer, MetricAnswer, QueryRequest, SeriesAnswer } from "./answer.js";
import type { CompiledRules, ReadMetric } from "./compile.js";
import { MetricUnknownError } from "./errors.js";

/** Data counts as live while its newest event is younger than this, in ms: then windows end now. */
const liveWithinMs = 60_000;

/** Points in a series, at most; more than a chart has pixels to tell apart is waste. */
const stepsMax = 300;

export interface SeriesRequest {
  readonly metric: string;
  readonly windowMs: number;
  /** Rounded up to what the kept slots can tell apart. */
  readonly stepMs?: number;
  /** Groups by descending n; 0 for one line over all of them. @default 8 */
  readonly groupsMax?: number;
}

/** Everything a metric keeps over one span, merged to one cell per group. */
interface Gathered {
  readonly groups: readonly { readonly group: Group; readonly isOverflow: boolean; readonly cell: Cell }[];
  readonly page: Omit<CellPage, "groups" | "next">;
}

interface Pages {
  readonly groups: readonly GroupCells[];
  readonly page: Omit<CellPage, "groups" | "next">;
}

/** The all-time distribution of one group, for exposition. */
export interface GroupHistogram {
  readonly by: Readonly<Record<string, string | null>>;
  readonly isOverflow?: true;
  readonly count: number;
  readonly sum: number;
  /** Ascending by `upper`, which is inclusive. */
  readonly buckets: readonly { readonly upper: number; readonly count: number }[];
}

/** Computes what people ask from the cells that the store keeps: windows, percentiles, ratios, rates. Keeps nothing. */
export class Query {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #metrics: ReadonlyMap<string, ReadMetric>;
  readonly #levels: readonly SlotLevel[];

  constructor(options: {
    readonly store: Store;
    readonly rules: CompiledRules;
    readonly clock: Clock;
    readonly levels: readonly SlotLevel[];
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#levels = options.levels;
    this.#metrics = new Map(options.rules.read.map((metric) => [metric.rule.name, metric]));
  }

  get metrics(): readonly ReadMetric[] {
    return [...this.#metrics.values()];
  }

  /**
   * A metric over a window, or its totals. Groups by descending n, those with equal n by their bytes.
   * @throws MetricUnknownError
   */
  async answer(request: QueryRequest): Promise<MetricAnswer> {
    const metric = this.#metric(request.metric);
    const span = await this.#span(request.windowMs);
    const group =
      request.group === undefined ? undefined : metric.by.map((field) => request.group?.[field] ?? null);
    const parts = await this.#gather(metric.cells, span, group);
    const whole = metric.whole === undefined ? undefined : await this.#gather(metric.whole, span, group);
    const groups = toAnswers(metric, span, parts, whole);
    const ranked = groups
      .map((one, index) => ({ one, index }))
      .sort((a, b) => b.one.n - a.one.n || a.index - b.index);
    const kept = ranked.slice(0, request.groupsMax ?? 100).map(({ one }) => one);
    return {
      ...describe(metric),
      by: metric.by,
      span,
      groups: kept,
      groupsLeftOut: groups.length - kept.length,
      all: overAll(metric, span, parts, whole),
      isAtLeast: isAtLeast(span, parts),
      ...pick(parts.page),
    };
  }

  /** Every group of a metric's totals, in order of their bytes. */
  async totals(name: string): Promise<readonly GroupAnswer[]> {
    const metric = this.#metric(name);
    const span: AnswerSpan = { kind: "total" };
    const parts = await this.#gather(metric.cells, span, undefined);
    const whole = metric.whole === undefined ? undefined : await this.#gather(metric.whole, span, undefined);
    return toAnswers(metric, span, parts, whole);
  }

  /** A distribution's totals with their buckets, in order of the groups' bytes; nothing for another kind. @throws MetricUnknownError */
  async histograms(request: {
    readonly metric: string;
    readonly groupsMax: number;
  }): Promise<readonly GroupHistogram[]> {
    const metric = this.#metric(request.metric);
    const { groups } = await this.#gather(metric.cells, { kind: "total" }, undefined);
    return groups.slice(0, request.groupsMax).flatMap(({ group, isOverflow, cell }) => {
      if (cell.kind !== "distribution") return [];
      const { histogram } = cell;
      return {
        by: named(metric.by, group, isOverflow),
        ...(isOverflow ? { isOverflow: true as const } : {}),
        count: histogram.count,
        sum: histogram.sum,
        buckets: histogram.buckets(),
      };
    });
  }

  /** A metric over time, one line per group. @throws MetricUnknownError */
  async series(request: SeriesRequest): Promise<SeriesAnswer> {
    const metric = this.#metric(request.metric);
    const stepMs = this.#step(request);
    const anchored = await this.#span(request.windowMs);
    assertInvariant(anchored.kind === "window", "a series has a window");
    const toMs = Math.ceil(anchored.toMs / stepMs) * stepMs;
    const fromMs = Math.floor(anchored.fromMs / stepMs) * stepMs;
    const timesMs = Array.from({ length: (toMs - fromMs) / stepMs }, (_, step) => fromMs + step * stepMs);
    const isWhole = request.groupsMax === 0;
    const load = async (cells: MetricKey): Promise<Pages> => {
      const pages = await this.#pages({ metric: cells, span: { fromMs, toMs } });
      return isWhole ? { ...pages, groups: [asOne(pages.groups)] } : pages;
    };
    const pages = await load(metric.cells);
    const wholePages = metric.whole === undefined ? undefined : await load(metric.whole);
    const shape = { fromMs, stepMs, steps: timesMs.length };
    const wholes = new Map(wholePages?.groups.map((one) => [groupKey(one.group), toSteps(one, shape)]));
    const ranked = [...(wholePages ?? pages).groups]
      .map((one) => ({ one, n: one.cells.reduce((sum, { cell }) => sum + countOf(cell), 0) }))
      .sort((a, b) => b.n - a.n)
      .slice(0, isWhole ? 1 : (request.groupsMax ?? 8));
    const byKey = new Map(pages.groups.map((one) => [groupKey(one.group), toSteps(one, shape)]));
    const groups = ranked.map(({ one }) => {
      const key = groupKey(one.group);
      return {
        by: isWhole ? {} : named(metric.by, one.group, one.isOverflow),
        lines: linesOf(
          metric,
          byKey.get(key) ?? new Array(timesMs.length).fill(undefined),
          wholes.get(key),
          stepMs,
        ),
      };
    });
    const span = { ...anchored, fromMs, toMs };
    return { ...describe(metric), span, stepMs, timesMs, groups, version: pages.page.version };
  }

  #metric(name: string): ReadMetric {
    const metric = this.#metrics.get(name);
    if (metric === undefined) throw new MetricUnknownError(name, [...this.#metrics.keys()]);
    return metric;
  }

  /** A window ends now while the data is live, else at the newest event; both at the end of that second. */
  async #span(windowMs: number | undefined): Promise<AnswerSpan> {
    if (windowMs === undefined) return { kind: "total" };
    const { dataClockMs } = await this.#store.info();
    const nowMs = this.#clock.now();
    const isLive = dataClockMs === undefined || nowMs - dataClockMs < liveWithinMs;
    const finestMs = this.#levels[0]?.widthMs ?? 1000;
    const endMs = isLive ? Math.max(nowMs, dataClockMs ?? nowMs) : dataClockMs;
    const toMs = (Math.floor(endMs / finestMs) + 1) * finestMs;
    return { kind: "window", fromMs: toMs - windowMs, toMs, anchor: isLive ? "now" : "data" };
  }

  /** The finest step that slots of the window's age can still tell apart. */
  #step(request: SeriesRequest): number {
    const level = this.#levels.find(({ keepMs }) => keepMs >= request.windowMs) ?? this.#levels.at(-1);
    const widthMs = level?.widthMs ?? 1000;
    const wanted = Math.max(request.stepMs ?? request.windowMs / 120, request.windowMs / stepsMax, widthMs);
    return Math.ceil(wanted / widthMs) * widthMs;
  }

  async #gather(metric: MetricKey, span: AnswerSpan, group: Group | undefined): Promise<Gathered> {
    const cells = span.kind === "total" ? "total" : { fromMs: span.fromMs, toMs: span.toMs };
    const { groups, page } = await this.#pages({
      metric,
      span: cells,
      ...(group === undefined ? {} : { group }),
    });
    const merged = groups.flatMap(({ group: one, isOverflow, cells: parts }) => {
      const first = parts[0];
      if (first === undefined) return [];
      const cell = copyCell(first.cell);
      for (const part of parts.slice(1)) mergeCell(cell, part.cell);
      return [{ group: one, isOverflow, cell }];
    });
    return { groups: merged, page };
  }

  async #pages(query: CellQuery): Promise<Pages> {
    const groups: GroupCells[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.read(after === undefined ? query : { ...query, after });
      groups.push(...page.groups);
      if (page.next === undefined) return { groups, page };
      after = page.next;
    }
  }
}

function describe(metric: ReadMetric): Pick<MetricAnswer, "name" | "kind"> & { unit?: string } {
  const { rule } = metric;
  return { name: rule.name, kind: rule.kind, ...("unit" in rule ? { unit: rule.unit } : {}) };
}

function pick(
  page: Gathered["page"],
): Pick<MetricAnswer, "sinceMs" | "late" | "future" | "untimed" | "generation" | "version"> {
  const { sinceMs, late, future, untimed, generation, version } = page;
  return { sinceMs, late, future, untimed, generation, version };
}

function isAtLeast(span: AnswerSpan, { page, groups }: Gathered): boolean {
  if (groups.some(({ isOverflow }) => isOverflow)) return true;
  if (span.kind === "total" || page.completeFromMs === undefined) return false;
  return span.fromMs < page.completeFromMs;
}

function toAnswers(
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

function overAll(
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

function named(by: readonly string[], group: Group, isOverflow: boolean): Record<string, string | null> {
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

type Steps = (Cell | undefined)[];

/** A slot wider than a step, which only an older part of the window has, stands at its own start. */
/** All groups' cells as those of one group without fields. */
function asOne(groups: readonly GroupCells[]): GroupCells {
  return { group: [], isOverflow: false, cells: groups.flatMap(({ cells }) => cells) };
}

function toSteps(
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

function linesOf(
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
