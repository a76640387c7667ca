/**
 * The nearest legal metric name: letters, digits and `_`, a letter first. Never empty. Colons are legal, but reserved for rules of
 * the monitoring system, as is `_` at the start (OpenMetrics 1.0, "Name").
 */
export function legalMetricName(name: string): string {
  return startedLegally(name, "metric_");
}

/** The nearest legal label name: as a metric's. */
export function legalLabelName(name: string): string {
  return startedLegally(name, "key_");
}

function startedLegally(name: string, prefix: string): string {
  const legal = name.replace(/[^a-zA-Z0-9_]/gu, "_");
  return /^[a-zA-Z]/.test(legal) ? legal : `${prefix}${legal.replace(/^_+/, "")}`;
}

/**
 * Gives each thing a name of its own: the first to ask for a name gets it, later ones get `name_2`, `name_3`, …
 * The same sequence of asks gives the same names, so that a scrape agrees with the one before.
 */
export class NameTable {
  readonly #taken = new Set<string>();

  /** @param suffixes what is appended to the name and must be free too, such as `_bucket` */
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
