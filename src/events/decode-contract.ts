/** `parse`: the line is not of the format. `shape`: it is, but no event stands there. */
export type DecodeFailureReason = "parse" | "shape";

export interface DecodeSink {
  /**
   * One event. `values[i]` is what stands at `paths[i]`: string, number, boolean, null, undefined when absent, or for a
   * nested object or array its parsed form. The array is reused for the next event: do not keep it.
   * `index` counts the events of the line from 0.
   */
  event(values: readonly unknown[], index: number): void;
  /** The line (or element `index` of it) is no event. `parse` fails the whole line, with index 0 and no event. */
  failure(reason: DecodeFailureReason, message: string, index: number): void;
}

export interface Decoder {
  /** Decodes the line `text[start, end)`, without its terminator; blank lines are the caller's. */
  decode(text: string, start: number, end: number, sink: DecodeSink): void;
}
