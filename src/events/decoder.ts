import type { Decoder } from "./decode-contract.js";
import type { FieldPath } from "./field-path.js";
import type { Format } from "./format.js";
import { JsonDecoder } from "./json-decoder.js";
import { LogfmtDecoder } from "./logfmt-decoder.js";
import { PatternDecoder } from "./pattern-decoder.js";

/** A decoder that takes out only `paths`. The values are always what a full `JSON.parse` of the line would have given. */
export function compileDecoder(format: Format, paths: readonly FieldPath[]): Decoder {
  switch (format.kind) {
    case "json":
      return new JsonDecoder(paths, format.explode);
    case "pattern":
      return new PatternDecoder(format, paths);
    case "logfmt":
      return new LogfmtDecoder(paths);
  }
}
