/** Frames that are taken of each site, those in between that are this library's own included. */
const framesMax = 6;

/** What runs between a body and the one around it: this library's doors and Node's. */
const ownFrame =
  /\((?:.*[\\/]locks[\\/](?:gate|frame|keyed-lock|read-write-lock|latch|condition|domain)\.[jt]s:|node:async_hooks:|node:internal\/)/;

/** Where in the caller's code something happened. Taken in about 2 µs; formatted only when somebody reads it. */
export class Site {
  #error: Error | undefined;
  #frames: readonly string[] | undefined;

  /** @param below the function whose callers are meant; it and what it calls are left out */
  constructor(below: (...args: never[]) => unknown) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = framesMax;
    const error: { stack?: string } = {};
    Error.captureStackTrace(error, below);
    Error.stackTraceLimit = limit;
    this.#error = error as Error;
  }

  /** `at …` lines without indentation, innermost first, of the caller's code only. */
  get frames(): readonly string[] {
    if (this.#frames === undefined) {
      const all = (this.#error?.stack ?? "")
        .split("\n")
        .slice(1)
        .map((line) => line.trim());
      const callers = all.filter((line) => !ownFrame.test(line));
      this.#frames = callers.length === 0 ? all : callers;
      // The raw error holds the receivers of its frames alive.
      this.#error = undefined;
    }
    return this.#frames;
  }

  /** The innermost frame. */
  get here(): string {
    return this.frames[0] ?? "at an unknown place";
  }
}
