import { QueryError } from "./errors.js";

/** Query parameters of one request, each checked to be known and given once. */
export class Parameters {
  readonly #values = new Map<string, string>();

  /**
   * @param names known parameters; one that ends in `.` stands for all that begin with it
   * @throws QueryError for an unknown or repeated parameter
   */
  constructor(url: string, names: readonly string[]) {
    const { searchParams } = new URL(url, "http://localhost");
    for (const [name, value] of searchParams) {
      const isKnown = names.some((known) => (known.endsWith(".") ? name.startsWith(known) : name === known));
      if (!isKnown) {
        const expected =
          names.length === 0
            ? "no parameters"
            : names.map((one) => (one.endsWith(".") ? `${one}FIELD` : one)).join(", ");
        throw new QueryError(`Cannot use the parameter "${name}": expected ${expected}`);
      }
      if (this.#values.has(name))
        throw new QueryError(`Cannot use the parameter "${name}": it is there twice`);
      this.#values.set(name, value);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** @throws QueryError when absent */
  needed(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined || value === "")
      throw new QueryError(`Cannot answer without the parameter "${name}"`);
    return value;
  }

  /** @throws QueryError when not a whole number in the range */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new QueryError(`Cannot use ${name} = "${text}": expected a whole number, ${min}..${max}`);
  }

  /** All parameters `prefix.FIELD`, by field. */
  fields(prefix: string): Map<string, string> {
    const start = `${prefix}.`;
    const entries = [...this.#values].filter(([name]) => name.startsWith(start));
    return new Map(entries.map(([name, value]) => [name.slice(start.length), value]));
  }
}
