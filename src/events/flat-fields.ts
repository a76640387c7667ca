import type { FieldPath } from "./field-path.js";

/** Puts the fields of an event without nesting where its paths want them; a later field of the same name replaces the earlier. */
export class FlatFields {
  readonly #indexes = new Map<string, number[]>();
  readonly #wholeIndexes: number[] = [];
  readonly #values: unknown[];
  #whole: Record<string, unknown> | undefined;

  constructor(paths: readonly FieldPath[]) {
    this.#values = new Array(paths.length).fill(undefined);
    for (const [index, { keys }] of paths.entries()) {
      if (keys.length === 0) this.#wholeIndexes.push(index);
      else {
        const key = keys.join(".");
        this.#indexes.set(key, [...(this.#indexes.get(key) ?? []), index]);
      }
    }
  }

  clear(): void {
    this.#values.fill(undefined);
    if (this.#wholeIndexes.length === 0) return;
    this.#whole = {};
    for (const index of this.#wholeIndexes) this.#values[index] = this.#whole;
  }

  /** Bound, so that it can be handed to a reader. */
  readonly set = (key: string, value: unknown): void => {
    const indexes = this.#indexes.get(key);
    if (indexes !== undefined) for (const index of indexes) this.#values[index] = value;
    // Not an assignment, which `__proto__` would turn into a change of prototype.
    if (this.#whole !== undefined)
      Object.defineProperty(this.#whole, key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  };

  /** Reused after the next `clear`. */
  values(): readonly unknown[] {
    return this.#values;
  }
}
