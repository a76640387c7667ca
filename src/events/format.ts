import type { FieldPath } from "./field-path.js";

/** How a line becomes events. Plain data: it is sent to threads. */
export type Format =
  /** One JSON value a line: an object is one event, an array one per element. `explode` names an array inside it. */
  | { readonly kind: "json"; readonly explode?: FieldPath }
  /** A regular expression with named groups, matched against the whole line; groups become string fields. */
  | {
      readonly kind: "pattern";
      readonly name: string;
      readonly source: string;
      readonly numbers: readonly string[];
    }
  | { readonly kind: "logfmt" };

/** `json`, `combined`, `logfmt`, or a regular expression with named groups. @throws FormatError */
export function parseFormat(_text: string): Format {
  throw new Error("in work");
}
