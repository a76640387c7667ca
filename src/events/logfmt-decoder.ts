import type { Decoder, DecodeSink } from "./decode-contract.js";
import type { FieldPath } from "./field-path.js";
import { FlatFields } from "./flat-fields.js";
import { readLogfmt } from "./logfmt.js";

/** `key=value key="quoted value" bare`: keys are flat, so the path `http.status` is the key `http.status`. */
export class LogfmtDecoder implements Decoder {
  readonly #fields: FlatFields;

  constructor(paths: readonly FieldPath[]) {
    this.#fields = new FlatFields(paths);
  }

  decode(text: string, start: number, end: number, sink: DecodeSink): void {
    this.#fields.clear();
    const fault = readLogfmt(text.slice(start, end), this.#fields.set);
    if (fault === undefined) sink.event(this.#fields.values(), 0);
    else sink.failure("parse", `Cannot parse line as logfmt: ${fault}`, 0);
  }
}
