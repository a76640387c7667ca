import type { Clock, Notice, NoticeSink } from "../base/index.js";
import { type Counter, type Histogram, openRegistry, type Registry } from "../metrics/index.js";

/** Metrics are few, and their labels are names of sources and notices. */
const reserveBytes = 16 * 2 ** 20;

let opened = 0;

/**
 * What a running engine measures of itself. Modules do not know of it: they emit notices, and this turns them into metrics on their
 * way to whoever listens.
 */
export class OwnMetrics implements Disposable {
  readonly registry: Registry;
  /** Takes the modules' notices, and passes them on. */
  readonly notices: NoticeSink;
  readonly #seen: Counter<"notice" | "level">;
  readonly #durations: ReadonlyMap<string, Histogram<"source">>;

  constructor(next: NoticeSink, clock: Clock) {
    opened += 1;
    this.registry = openRegistry(
      { name: `poundlock.engine.${opened}`, reserveBytes, hasOwnMetrics: false },
      clock,
    );
    this.#seen = this.registry.counter("poundlock_notices_total", {
      help: "What the modules had to say, by name",
      labels: ["notice", "level"],
    });
    const seconds = (name: string, help: string): Histogram<"source"> =>
      this.registry.histogram(name, { help, unit: "s", labels: ["source"] });
    this.#durations = new Map([
      [
        "pipeline.folded",
        seconds("poundlock_fold_seconds", "From handing a range to a thread to having its numbers"),
      ],
      ["pipeline.settled", seconds("poundlock_settle_seconds", "Time that the store takes for a settlement")],
    ]);
    this.notices = (notice) => {
      this.#take(notice);
      next(notice);
    };
  }

  [Symbol.dispose](): void {
    this.registry.close();
  }

  #take({ name, level, data }: Notice): void {
    const durations = this.#durations.get(name);
    if (durations === undefined) {
      this.#seen.add(1, { notice: name, level });
      return;
    }
    const { source, elapsedMs } = data as { readonly source: string; readonly elapsedMs: number };
    durations.record(elapsedMs / 1000, { source });
  }
}
