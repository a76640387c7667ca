import { type Clock, codeOf, OptionError } from "../../base/index.js";
import type { LabelValues } from "../options.js";

/** What takes the durations: a histogram or a window. */
export interface DurationSink {
  bind(labels?: Readonly<Record<string, unknown>>): { record(value: number): void };
}

export interface TimerOptions {
  /** `s` records seconds, `ms` milliseconds. */
  readonly unit: "s" | "ms";
  /** Label that says what went wrong; empty when nothing did. Undefined when the metric has no such label. */
  readonly errorLabel: string | undefined;
  readonly clock: Clock;
}

export interface StartOptions {
  /**
   * When it should have begun, as `performance.now()` says: what had to wait for its turn then counts with the wait (see
   * "coordinated omission" in the reference). @default now
   */
  readonly intendedMs?: number;
}

/** One measurement under way. */
export interface RunningTimer extends Disposable {
  /** Milliseconds until now; once it has ended, those that were recorded. */
  readonly elapsedMs: number;
  /** Records the duration. What ended already stays as it was. */
  stop(): void;
  /** Records the duration with what went wrong. */
  fail(error: unknown): void;
}

/** A method decorator, of both kinds: the standard one and TypeScript's older one. */
export type TimedDecorator = (
  target: unknown,
  context: unknown,
  descriptor?: PropertyDescriptor,
) => PropertyDescriptor | ((this: unknown, ...args: unknown[]) => unknown) | undefined;

/**
 * Measures how long something takes, and records it also when it fails. Nothing of it changes what the measured code answers or
 * throws: the labels are checked when it starts, and recording a duration can't fail after that.
 */
export class Timer<L extends string = string> {
  readonly #sink: DurationSink;
  readonly #options: TimerOptions;

  constructor(sink: DurationSink, options: TimerOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Starts a measurement; `using` ends it with its block. An error that leaves the block passes by unseen: call `fail` with it, or
   * use `run`.
   * @throws MetricLabelsError when the labels are not the metric's; OptionError when `intendedMs` is not finite
   */
  start(labels?: LabelValues<L>, options: StartOptions = {}): RunningTimer {
    return new Measurement(this.#sink, this.#options, labels, options.intendedMs);
  }

  /**
   * Runs `body` and records how long it took: a promise until it settles, anything else until it returns. Answers and throws what
   * `body` does; a promise that nobody handles stays one that Node reports. What is like a promise and none, such as a query that
   * runs when awaited, is awaited once, and a promise answered for it.
   * @throws what `start` does; then `body` did not run
   */
  run<T>(body: (running: RunningTimer) => T, labels?: LabelValues<L>, options: StartOptions = {}): T {
    const running = this.start(labels, options);
    let result: T;
    try {
      result = body(running);
    } catch (error) {
      running.fail(error);
      throw error;
    }
    if (!isThenable(result)) {
      running.stop();
      return result;
    }
    // Not `finally` on the side: that would handle the rejection, and hide it from whoever forgot to.
    return result.then(
      (value) => {
        running.stop();
        return value;
      },
      (error: unknown) => {
        running.fail(error);
        throw error;
      },
    ) as T;
  }

  /** The function, measured. Its `this` and arguments are kept. */
  wrap<A extends unknown[], R>(body: (...args: A) => R, labels?: LabelValues<L>): (...args: A) => R {
    const timer = this;
    return function (this: unknown, ...args: A): R {
      return timer.run(() => body.apply(this, args), labels);
    };
  }

  /** Decorates a method: `@timer.timed()`. */
  timed(labels?: LabelValues<L>): TimedDecorator {
    return (target, _context, descriptor) => {
      if (descriptor === undefined) return this.wrap(target as (...args: unknown[]) => unknown, labels);
      return { ...descriptor, value: this.wrap(descriptor.value as (...args: unknown[]) => unknown, labels) };
    };
  }
}

class Measurement implements RunningTimer {
  readonly #sink: DurationSink;
  readonly #options: TimerOptions;
  /** As they were at the start: what becomes of the caller's object meanwhile is of no account. */
  readonly #labels: Readonly<Record<string, unknown>> | undefined;
  readonly #succeeded: { record(value: number): void };
  readonly #startMs: number;
  #endedMs: number | undefined;

  constructor(
    sink: DurationSink,
    options: TimerOptions,
    labels: Readonly<Record<string, unknown>> | undefined,
    intendedMs: number | undefined,
  ) {
    if (intendedMs !== undefined && !Number.isFinite(intendedMs))
      throw new OptionError(
        "intendedMs",
        `Cannot start timer: intendedMs is ${intendedMs}, not a finite number`,
      );
    const { errorLabel } = options;
    this.#sink = sink;
    this.#options = options;
    this.#labels = errorLabel === undefined ? labels : { ...labels, [errorLabel]: "" };
    this.#succeeded = sink.bind(this.#labels);
    this.#startMs = intendedMs ?? options.clock.monotonicMs();
  }

  get elapsedMs(): number {
    return this.#endedMs ?? Math.max(0, this.#options.clock.monotonicMs() - this.#startMs);
  }

  stop(): void {
    if (this.#endedMs === undefined) this.#end(this.#succeeded);
  }

  fail(error: unknown): void {
    if (this.#endedMs !== undefined) return;
    const { errorLabel } = this.#options;
    const failed =
      errorLabel === undefined ? undefined : { ...this.#labels, [errorLabel]: errorClass(error) };
    this.#end(failed === undefined ? this.#succeeded : this.#sink.bind(failed));
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #end(into: { record(value: number): void }): void {
    this.#endedMs = this.elapsedMs;
    into.record(this.#options.unit === "s" ? this.#endedMs / 1000 : this.#endedMs);
  }
}

/** An error's code if it has one, else its name: few values, however many messages there are. Never throws. */
export function errorClass(error: unknown): string {
  try {
    const code = codeOf(error);
    if (code !== "UNKNOWN") return code.slice(0, 64);
    return error instanceof Error ? String(error.name).slice(0, 64) : typeof error;
  } catch {
    return "unknown";
  }
}

function isThenable<T>(value: T): value is T & PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    // A getter that throws is the business of whoever awaits it.
    return false;
  }
}
