import { PoundlockError } from "../base/index.js";

/** A pattern that names no path and can't be read as a glob. */
export class PatternError extends PoundlockError {
  readonly code = "TAIL_PATTERN_INVALID";
  readonly pattern: string;

  constructor(pattern: string, why: string) {
    super(`Cannot follow "${pattern}": ${why}`);
    this.pattern = pattern;
  }
}

/** A range was settled that is not the oldest one in flight of its file: the caller broke the order, or used it twice. */
export class RangeOrderError extends PoundlockError {
  readonly code = "TAIL_RANGE_ORDER";
  readonly path: string;
  readonly start: number;

  constructor(path: string, start: number, why: string) {
    super(`Cannot settle the range of ${path} at ${start}: ${why}`);
    this.path = path;
    this.start = start;
  }
}
