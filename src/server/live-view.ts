import type { MetricAnswer } from "../pipeline/index.js";
import type { LiveClient } from "./live-client.js";
import type { ServerSource } from "./source.js";

/** Groups in an answer; a page lists them and says how many there are beyond. */
const groupsMax = 20;
/** Lines by group in a chart; more can't be told apart. */
const seriesGroupsMax = 4;
/** A chart moves at most this often; numbers move with every frame. */
const seriesPauseMs = 1000;
/** A chart of totals shows this long. */
const totalsSeriesMs = 24 * 3_600_000;

/** What the pages that look at one window have in common: the answers and series, as JSON. */
export class LiveView {
  readonly windowMs: number | undefined;
  readonly clients: Set<LiveClient> = new Set();
  readonly parts: Map<string, string> = new Map();
  /** Number of the newest frame. */
  seq = 0;
  /** Names of metrics to ask again. */
  readonly #dirty = new Set<string>();
  readonly #dirtySeries = new Set<string>();
  readonly #endsNow = new Set<string>();
  #seriesDueMs = 0;
  #decayDueMs = 0;
  #isFilled = false;

  constructor(windowMs: number | undefined) {
    this.windowMs = windowMs;
  }

  /** True once every part has been asked for. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  markDirty(metrics: Iterable<string>): void {
    for (const metric of metrics) {
      this.#dirty.add(metric);
      this.#dirtySeries.add(metric);
    }
  }

  /** A window that ends now loses events while time passes, whether or not new ones come. */
  markDecayed(nowMs: number): void {
    if (this.windowMs === undefined || nowMs < this.#decayDueMs) return;
    this.#decayDueMs = nowMs + Math.min(10_000, Math.max(1000, this.windowMs / 60));
    this.markDirty(this.#endsNow);
  }

  hasWork(nowMs: number): boolean {
    return this.#dirty.size > 0 || (this.#dirtySeries.size > 0 && nowMs >= this.#seriesDueMs);
  }

  /** Asks again for what changed; answers the names of the parts that are now different. */
  async refresh(source: ServerSource, nowMs: number): Promise<string[]> {
    const answers = [...this.#dirty];
    this.#dirty.clear();
    let series: string[] = [];
    if (nowMs >= this.#seriesDueMs) {
      series = [...this.#dirtySeries];
      this.#dirtySeries.clear();
      this.#seriesDueMs = nowMs + seriesPauseMs;
    }
    try {
      const changed = await Promise.all([
        ...answers.map((metric) => this.#askAnswer(source, metric)),
        ...series.map((metric) => this.#askSeries(source, metric)),
      ]);
      this.#isFilled ||= this.#dirtySeries.size === 0;
      return changed.flat();
    } catch (error) {
      this.markDirty([...answers, ...series]);
      this.#seriesDueMs = 0;
      throw error;
    }
  }

  #put(part: string, value: unknown): string[] {
    const json = JSON.stringify(value);
    if (this.parts.get(part) === json) return [];
    this.parts.set(part, json);
    return [part];
  }

  async #askAnswer(source: ServerSource, metric: string): Promise<string[]> {
    const answer: MetricAnswer = await source.query({
      metric,
      groupsMax,
      ...(this.windowMs === undefined ? {} : { windowMs: this.windowMs }),
    });
    if (answer.span.kind === "window" && answer.span.anchor === "now") this.#endsNow.add(metric);
    else this.#endsNow.delete(metric);
    return this.#put(`answer:${metric}`, answer);
  }

  async #askSeries(source: ServerSource, metric: string): Promise<string[]> {
    const description = source.metrics().find(({ name }) => name === metric);
    if (description === undefined) return [];
    const isByGroup = description.by.length > 0 && description.kind !== "distribution";
    const windowMs = this.windowMs ?? totalsSeriesMs;
    return this.#put(
      `series:${metric}`,
      await source.series({
        metric,
        windowMs,
        stepMs: Math.max(1000, windowMs / 60),
        groupsMax: isByGroup ? seriesGroupsMax : 0,
      }),
    );
  }
}
