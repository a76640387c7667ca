/** A place in an event: `order.coin`. */
export interface FieldPath {
  /** As typed; the key in answers. */
  readonly text: string;
  /** Keys from the outside in; empty for the whole event. */
  readonly keys: readonly string[];
}

export const wholeEvent: FieldPath = { text: "event", keys: [] };

/** @throws FieldPathError when it is empty or has an empty part */
export function parsePath(_text: string): FieldPath {
  throw new Error("in work");
}
