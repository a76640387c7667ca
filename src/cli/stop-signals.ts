import type { Context } from "./context.js";

const forcedExit: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

type StopContext = Pick<Context, "terminal" | "exitNow" | "clock">;

/**
 * One press of Ctrl-C can come twice: from the terminal to the whole group, and passed on by npm or a supervisor. What
 * follows within this time is the same wish, in milliseconds.
 */
const sameWishMs = 500;

/** Listens for the signals that end a server: the first asks for a clean end, the second forces it. */
export class StopSignals implements Disposable {
  /** Resolves with the first signal. */
  readonly first: Promise<NodeJS.Signals>;
  readonly #context: StopContext;
  readonly #listener: (signal: NodeJS.Signals) => void;
  #firstMs: number | undefined;

  constructor(context: StopContext) {
    this.#context = context;
    let resolveFirst: (signal: NodeJS.Signals) => void = () => {};
    this.first = new Promise((resolve) => {
      resolveFirst = resolve;
    });
    this.#listener = (signal) => {
      const nowMs = context.clock.monotonicMs();
      if (this.#firstMs === undefined) {
        this.#firstMs = nowMs;
        resolveFirst(signal);
      } else if (nowMs - this.#firstMs > sameWishMs) this.#force(signal);
    };
    for (const signal of Object.keys(forcedExit)) process.on(signal, this.#listener);
  }

  [Symbol.dispose](): void {
    for (const signal of Object.keys(forcedExit)) process.off(signal, this.#listener);
  }

  #force(signal: NodeJS.Signals): void {
    this.#context.terminal.say("stopped by force: what was not settled is read again next time");
    this.#context.exitNow(forcedExit[signal] ?? 1);
  }
}
