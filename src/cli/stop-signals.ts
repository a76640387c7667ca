import type { Context } from "./context.js";

const forcedExit: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Listens for the signals that end a server: the first asks for a clean end, the second forces it. */
export class StopSignals implements Disposable {
  /** Resolves with the first signal. */
  readonly first: Promise<NodeJS.Signals>;
  readonly #context: Pick<Context, "terminal" | "exitNow">;
  readonly #listener: (signal: NodeJS.Signals) => void;
  #isStopping = false;

  constructor(context: Pick<Context, "terminal" | "exitNow">) {
    this.#context = context;
    let resolveFirst: (signal: NodeJS.Signals) => void = () => {};
    this.first = new Promise((resolve) => {
      resolveFirst = resolve;
    });
    this.#listener = (signal) => {
      if (this.#isStopping) this.#force(signal);
      this.#isStopping = true;
      resolveFirst(signal);
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
