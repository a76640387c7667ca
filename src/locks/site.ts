/** Frames that a report shows of each site; enough to tell the caller from the caller's caller. */
const framesMax = 6;

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

  /** `at …` lines without indentation, innermost first. */
  get frames(): readonly string[] {
    if (this.#frames === undefined) {
      this.#frames = (this.#error?.stack ?? "")
        .split("\n")
        .slice(1)
        .map((line) => line.trim());
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
