/**
 * Answers that take a while and are made one at a time. Whoever asks while one is being made gets the next, and all who do get the same:
 * it begins after they asked, so it has everything that was there then.
 */
export class SharedNext<T> {
  readonly #make: () => Promise<T>;
  #current: Promise<T> | undefined;
  /** One that has been asked for and has not begun. */
  #next: Promise<T> | undefined;

  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  ask(): Promise<T> {
    if (this.#next !== undefined) return this.#next;
    const before = this.#current ?? Promise.resolve();
    const begin = (): Promise<T> => {
      this.#next = undefined;
      return this.#make();
    };
    const next = before.then(begin, begin);
    this.#next = next;
    this.#current = next;
    // Or the newest answer would be kept for as long as this.
    const forget = (): void => {
      if (this.#current === next) this.#current = undefined;
    };
    next.then(forget, forget);
    return next;
  }
}
