import type { Change, MetricKey } from "./contract.js";
import type { Draft } from "./draft.js";
import { UnknownMetricError } from "./errors.js";
import { type AdditionTimes, MetricAdditions } from "./metric-additions.js";
import type { State } from "./state.js";

/** What a draft adds to totals and slots, metric by metric. */
export class Additions {
  readonly #state: State;
  readonly #draft: Draft;
  readonly #times: AdditionTimes;
  readonly #metrics = new Map<MetricKey, MetricAdditions>();

  constructor(state: State, draft: Draft, times: AdditionTimes) {
    this.#state = state;
    this.#draft = draft;
    this.#times = times;
  }

  get newCells(): number {
    let cells = 0;
    for (const metric of this.#metrics.values()) cells += metric.newCells;
    return cells;
  }

  /** To be changed by the caller: asking for it counts as a change. @throws UnknownMetricError */
  of(key: MetricKey): MetricAdditions {
    let metric = this.#metrics.get(key);
    if (metric !== undefined) return metric;
    metric = new MetricAdditions(this.#state, this.#draft, this.#times, this.definedAs(key));
    this.#metrics.set(key, metric);
    return metric;
  }

  /** @throws UnknownMetricError */
  definedAs(key: MetricKey): MetricAdditions["record"] {
    const record = this.#draft.get("metrics", key);
    if (record === undefined) throw new UnknownMetricError(key);
    return record;
  }

  /** Puts the metrics' own records and answers what changed. Nothing may be added afterwards. */
  finish(): Change["metrics"] {
    return [...this.#metrics].map(([metric, additions]) => ({ metric, groups: additions.finish() }));
  }
}
