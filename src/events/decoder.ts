import type { FieldPath } from "./field-path.js";
import type { Format } from "./format.js";

export type DecodeFailureReason = "parse" | "shape";

export interface DecodeSink {
  /**
   * One event. `values[i]` is what stands at `paths[i]`: string, number, boolean, null, undefined when absent, or for a
   * nested object or array its parsed form. The array is reused for the next event: do not keep it.
   * `index` counts the events of the line from 0.
   */
  event(values: readonly unknown[], index: number): void;
  /** The line (or element `index` of it) is no event. */
  failure(reason: DecodeFailureReason, message: string, index: number): void;
}

export interface Decoder {
  /** Decodes the line `text[start, end)`, without its terminator; blank lines are the caller's. */
  decode(text: string, start: number, end: number, sink: DecodeSink): void;
}

/** A decoder that takes out only `paths`. The values are always what a full `JSON.parse` of the line would have given. */
export function compileDecoder(_format: Format, _paths: readonly FieldPath[]): Decoder {
  throw new Error("in work");
}
