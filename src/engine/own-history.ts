import { type Clock, messageOf, type NoticeSink } from "../base/index.js";
import type { MetricFamily, Registry } from "../metrics/index.js";
import {
  defineShipped,
  type MetricsShipping,
  type Query,
  queryShipped,
  shipMetrics,
} from "../shipping/index.js";
import type { Store } from "../store/index.js";

/** Name in the ledger; no source of a configuration can be called so. */
export const ownSource = "(self)";

export interface OwnHistoryOptions {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly notices: NoticeSink;
}

/**
 * Keeps what the process measures of itself in the store beside everything else, so that it has windows, history and a place on the
 * dashboard.
 */
export class OwnHistory {
  readonly #registry: Registry;
  readonly #store: Store;
  readonly #options: OwnHistoryOptions;
  readonly #shipping: MetricsShipping;
  #query: Query;
  /** Metrics that the query answers, and that the store is being told of. */
  #known: number;
  #wanted: number;

  private constructor(
    registry: Registry,
    store: Store,
    options: OwnHistoryOptions,
    families: readonly MetricFamily[],
  ) {
    this.#registry = registry;
    this.#store = store;
    this.#options = options;
    this.#shipping = shipMetrics(registry, store, { ...options, source: ownSource });
    this.#query = queryShipped({ store, families, clock: options.clock });
    this.#known = families.length;
    this.#wanted = families.length;
  }

  static async open(registry: Registry, store: Store, options: OwnHistoryOptions): Promise<OwnHistory> {
    const families = registry.registered();
    await defineShipped(store, families);
    return new OwnHistory(registry, store, options, families);
  }

  /** Answers the metrics that the store knows; one that was registered a moment ago is told to it now, and is in the next query. */
  get query(): Query {
    const families = this.#registry.registered();
    if (families.length > this.#wanted) {
      this.#wanted = families.length;
      void this.#tell(families);
    }
    return this.#query;
  }

  /** Ships the rest. */
  async close(): Promise<void> {
    await this.#shipping.close();
  }

  async #tell(families: readonly MetricFamily[]): Promise<void> {
    const { clock, notices } = this.#options;
    try {
      await defineShipped(this.#store, families);
      if (families.length < this.#known) return;
      this.#known = families.length;
      this.#query = queryShipped({ store: this.#store, families, clock });
    } catch (error) {
      this.#wanted = this.#known;
      notices({ name: "engine.own-history", level: "debug", data: { reason: messageOf(error) } });
    }
  }
}
