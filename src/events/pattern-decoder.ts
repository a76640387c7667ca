import type { Decoder, DecodeSink } from "./decode-contract.js";
import type { FieldPath } from "./field-path.js";
import { FlatFields } from "./flat-fields.js";
import { compilePattern, type Format, groupNames } from "./format.js";

const plainNumber = /^-?\d+(?:\.\d+)?$/;

/** Groups of a regular expression become fields; a group that took no part in the match is absent. */
export class PatternDecoder implements Decoder {
  readonly #name: string;
  readonly #pattern: RegExp;
  readonly #groups: readonly string[];
  readonly #numbers: ReadonlySet<string>;
  readonly #fields: FlatFields;

  constructor(format: Extract<Format, { kind: "pattern" }>, paths: readonly FieldPath[]) {
    this.#name = format.name;
    this.#pattern = compilePattern(format.source);
    this.#numbers = new Set(format.numbers);
    this.#fields = new FlatFields(paths);
    const isWanted = (group: string): boolean =>
      paths.some(({ keys }) => keys.length === 0 || keys.join(".") === group);
    this.#groups = groupNames(format.source).filter(isWanted);
  }

  decode(text: string, start: number, end: number, sink: DecodeSink): void {
    const groups = this.#pattern.exec(text.slice(start, end))?.groups;
    if (groups === undefined) {
      sink.failure("parse", `Cannot parse line: it does not match the format ${this.#name}`, 0);
      return;
    }
    this.#fields.clear();
    for (const name of this.#groups) {
      const value = this.#numbers.has(name) ? numberOf(groups[name]) : groups[name];
      if (value !== undefined) this.#fields.set(name, value);
    }
    sink.event(this.#fields.values(), 0);
  }
}

/** Logs write `-` for a number that is not there. */
function numberOf(text: string | undefined): string | number | undefined {
  if (text === undefined || text === "-" || text === "") return undefined;
  return plainNumber.test(text) ? Number(text) : text;
}
