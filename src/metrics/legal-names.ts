/** The nearest legal metric name: letters, digits, `_` and `:`, no digit first. Never empty. */
export function legalMetricName(name: string): string {
  return startedLegally(name.replace(/[^a-zA-Z0-9_:]/g, "_"));
}

/** The nearest legal label name: as a metric's, without `:` and without the reserved `__` at the start. */
export function legalLabelName(name: string): string {
  return startedLegally(name.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^__+/, "_"));
}

function startedLegally(name: string): string {
  return /^[a-zA-Z_:]/.test(name) ? name : `_${name}`;
}

/**
 * Gives each thing a name of its own: the first to ask for a name gets it, later ones get `name_2`, `name_3`, …
 * The same sequence of asks gives the same names, so that a scrape agrees with the one before.
 */
export class NameTable {
  readonly #taken = new Set<string>();

  /** @param suffixes names beside `name` that must be free too, such as `_bucket` */
  take(name: string, suffixes: readonly string[] = [""]): string {
    for (let attempt = 1; ; attempt += 1) {
      const candidate = attempt === 1 ? name : `${name}_${attempt}`;
      const wanted = suffixes.map((suffix) => candidate + suffix);
      if (wanted.some((one) => this.#taken.has(one))) continue;
      for (const one of wanted) this.#taken.add(one);
      return candidate;
    }
  }
}
