/** Lets the first so many different names through, so that labels stay few whatever comes in from outside. */
export class BoundedNames {
  readonly #known = new Set<string>();
  readonly #max: number;
  readonly #instead: string;

  /** @param instead what every further name becomes */
  constructor(max: number, instead: string) {
    this.#max = max;
    this.#instead = instead;
  }

  of(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.#max) return this.#instead;
    this.#known.add(name);
    return name;
  }
}
