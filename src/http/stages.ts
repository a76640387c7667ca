import { type Clock, OptionError } from "../base/index.js";
import type { Histogram } from "../metrics/index.js";

/** What a stage's body is given. */
export interface StageTimer {
  /** Since the stage began, in milliseconds; after its end, how long it took. */
  readonly elapsedMs: number;
}

class RunningStage implements StageTimer {
  readonly #clock: Clock;
  readonly #startedMs: number;
  #tookMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  get elapsedMs(): number {
    return this.#tookMs ?? this.#clock.monotonicMs() - this.#startedMs;
  }

  stop(): number {
    this.#tookMs = Math.max(0, this.elapsedMs);
    return this.#tookMs;
  }
}

/** Times the stages of an answer, by how they ended. */
export class Stages {
  readonly #durations: Histogram<"stage" | "outcome">;
  readonly #names: ReadonlySet<string>;
  readonly #clock: Clock;

  constructor(durations: Histogram<"stage" | "outcome">, names: readonly string[], clock: Clock) {
    this.#durations = durations;
    this.#names = new Set(names);
    this.#clock = clock;
  }

  /**
   * Runs the body and records how long it took, until its promise is settled if it answers one; with outcome `error` when it throws or
   * rejects, which goes on as it was.
   * @throws OptionError when the stage is none of the service's; the body has not run then
   */
  run<T>(stage: string, body: (timer: StageTimer) => T): T {
    if (!this.#names.has(stage))
      throw new OptionError(
        "stages",
        `Cannot time stage ${stage}: the service has ${[...this.#names].join(", ")}`,
      );
    const timer = new RunningStage(this.#clock);
    const end = (outcome: "ok" | "error"): void =>
      this.#durations.record(timer.stop() / 1000, { stage, outcome });
    let result: T;
    try {
      result = body(timer);
    } catch (error) {
      end("error");
      throw error;
    }
    if (!(result instanceof Promise)) {
      end("ok");
      return result;
    }
    return result.then(
      (value: unknown) => {
        end("ok");
        return value;
      },
      (error: unknown) => {
        end("error");
        throw error;
      },
      // What the body answers is what this answers.
    ) as T;
  }
}
