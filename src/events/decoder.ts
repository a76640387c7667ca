import type { Decoder } from "./decode-contract.js";
import type { FieldPath } from "./field-path.js";
import type { Format } from "./format.js";
import { JsonDecoder } from "./json-decoder.js";
import { LogfmtDecoder } from "./logfmt-decoder.js";
import { PatternDecoder } from "./pattern-decoder.js";
import { ShapeDecoder } from "./shape-decoder.js";

/** A decoder that takes out only `paths`. The values are always what a full `JSON.parse` of the line would have given. */
export function compileDecoder(format: Format, paths: readonly FieldPath[]): Decoder {
  switch (format.kind) {
    case "json":
      return needsWholeLine(format, paths) ? new JsonDecoder(paths, format.explode) : new ShapeDecoder(paths);
    case "pattern":
      return new PatternDecoder(format, paths);
    case "logfmt":
      return new LogfmtDecoder(paths);
  }
}

function needsWholeLine(format: Extract<Format, { kind: "json" }>, paths: readonly FieldPath[]): boolean {
  return format.explode !== undefined || paths.some(({ keys }) => keys.length === 0);
}
