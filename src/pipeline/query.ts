import { assertInvariant, type Clock } from "../base/index.js";
import type { ExponentialHistogram } from "../sketch/index.js";
import {
  type CellPage,
  type CellQuery,
  copyCell,
  countOf,
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
import {
  asOne,
  describe,
  type Gathered,
  isAtLeast,
  linesOf,
  named,
  overAll,
  pick,
  toAnswers,
  toSteps,
} from "./readings.js";

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

interface Pages {
  readonly groups: readonly GroupCells[];
  readonly page: Omit<CellPage, "groups" | "next">;
}

/** The all-time distribution of one group, for exposition. */
export interface GroupHistogram {
  readonly by: Readonly<Record<string, string | null>>;
  readonly isOverflow?: true;
  /** When the metric began to count, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly histogram: ExponentialHistogram;
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
    const { groups, page } = await this.#gather(metric.cells, { kind: "total" }, undefined);
    return groups.slice(0, request.groupsMax).flatMap(({ group, isOverflow, cell }) => {
      if (cell.kind !== "distribution") return [];
      return {
        by: named(metric.by, group, isOverflow),
        ...(isOverflow ? { isOverflow: true as const } : {}),
        sinceMs: page.sinceMs,
        histogram: cell.histogram.toExponential(),
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
    const { windowMs } = request;
    return { ...describe(metric), span, windowMs, stepMs, timesMs, groups, version: pages.page.version };
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
