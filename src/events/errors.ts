import { PoundlockError } from "../base/index.js";

/** A field path is empty or has an empty part. */
export class FieldPathError extends PoundlockError {
  readonly code = "EVENTS_FIELD_PATH";
  /** As typed. */
  readonly path: string;

  constructor(path: string, state: string) {
    super(`Cannot use field path ${JSON.stringify(path)}: ${state}`, {
      hint: "Write the keys from the outside in, joined by dots: order.coin",
    });
    this.path = path;
  }
}

/** A format is neither a known name nor a regular expression with a named group. */
export class FormatError extends PoundlockError {
  readonly code = "EVENTS_FORMAT";
  /** As typed. */
  readonly format: string;
  /** Where the regular expression is wrong, from 1. */
  readonly column?: number;

  constructor(format: string, state: string, options: { readonly column?: number; readonly hint: string }) {
    super(`Cannot use format ${JSON.stringify(format)}: ${state}`, { hint: options.hint });
    this.format = format;
    if (options.column !== undefined) this.column = options.column;
  }
}

/** Where in the source of an expression something is wrong. */
export interface ExpressionPlace {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** At least 1. */
  readonly length: number;
  /** The line of the source that `line` names. */
  readonly text: string;
}

/** An expression does not compile, or failed on an event. */
export class ExpressionError extends PoundlockError {
  readonly code = "EVENTS_EXPRESSION";
  readonly phase: "compile" | "evaluate";
  readonly source: string;
  /** What is wrong, in one line, without the place. */
  readonly reason: string;
  readonly place?: ExpressionPlace;

  constructor(
    phase: "compile" | "evaluate",
    source: string,
    details: {
      readonly reason: string;
      readonly place?: ExpressionPlace | undefined;
      readonly hint?: string;
      readonly cause?: unknown;
    },
  ) {
    const { reason, place, ...options } = details;
    const at = place === undefined ? "" : ` (line ${place.line}, column ${place.column})`;
    super(`Cannot ${phase} expression ${JSON.stringify(source)}: ${reason}${at}`, options);
    this.phase = phase;
    this.source = source;
    this.reason = reason;
    if (place !== undefined) this.place = place;
  }
}
