import { OptionError } from "../base/index.js";
import { inOrder } from "./discipline.js";
import type { DomainState } from "./domain-state.js";
import { type AcquireOptions, Gate, noBody, type RunOptions } from "./gate.js";
import type { LockClassState } from "./lock-class.js";
import { LockCore } from "./lock-core.js";
import type { Hold } from "./parts.js";

/**
 * A mutex for each key, made when it is needed and dropped when nobody holds it or waits.
 * Several keys at once are taken in their order, so that no two callers can take them in opposite ones.
 */
export class KeyedLock<Key extends string | number> {
  readonly name: string;
  readonly #domain: DomainState;
  readonly #lockClass: LockClassState;
  readonly #gates = new Map<Key, Gate>();
  #firstKey: Key | undefined;
  #hasSeveralKeys = false;

  /** @internal */
  constructor(domain: DomainState, lockClass: LockClassState) {
    this.name = lockClass.name;
    this.#domain = domain;
    this.#lockClass = lockClass;
  }

  /** Keys that somebody holds or waits for. */
  get size(): number {
    return this.#gates.size;
  }

  /** @internal Undefined while nobody holds the key or waits. */
  coreOf(key: Key): LockCore | undefined {
    return this.#gates.get(key)?.core;
  }

  /** As `Gate.run`, with the lock of the key. */
  run<T>(key: Key, body: (hold: Hold) => T | PromiseLike<T>): Promise<T>;
  run<T>(key: Key, options: RunOptions, body: (hold: Hold) => T | PromiseLike<T>): Promise<T>;
  run<T>(
    key: Key,
    first: RunOptions | ((hold: Hold) => T | PromiseLike<T>),
    second?: (hold: Hold) => T | PromiseLike<T>,
  ): Promise<T> {
    const gate = this.#gateOrError(key);
    if (gate instanceof Error) return Promise.reject(gate);
    const ran = typeof first === "function" ? gate.run(first) : gate.run(first, second!);
    // What was refused before it stood in line has left nothing behind.
    this.#dropIdle(key, gate);
    return ran;
  }

  /** As `Gate.acquire`. */
  acquire(key: Key, options?: AcquireOptions & { readonly onTimeout?: "throw" }): Promise<Hold>;
  acquire(key: Key, options?: AcquireOptions): Promise<Hold | undefined>;
  acquire(key: Key, options?: AcquireOptions): Promise<Hold | undefined> {
    const gate = this.#gateOrError(key);
    if (gate instanceof Error) return Promise.reject(gate);
    const got = gate.acquire(options);
    this.#dropIdle(key, gate);
    return got;
  }

  /** As `Gate.tryAcquire`. */
  tryAcquire(key: Key, options?: Pick<RunOptions, "holding">): Hold | undefined {
    const gate = this.#gateOrError(key);
    if (gate instanceof Error) throw gate;
    try {
      return gate.tryAcquire(options);
    } finally {
      this.#dropIdle(key, gate);
    }
  }

  isLocked(key: Key): boolean {
    return this.#gates.get(key)?.isLocked ?? false;
  }

  /**
   * Runs the body while holding the locks of all keys, taken in the order of `compare`; a key that is named twice is taken once. The limit
   * is one for each key.
   */
  runAll<T>(keys: Iterable<Key>, body: () => T | PromiseLike<T>): Promise<T>;
  runAll<T>(keys: Iterable<Key>, options: RunOptions, body: () => T | PromiseLike<T>): Promise<T>;
  runAll<T>(
    keys: Iterable<Key>,
    first: RunOptions | (() => T | PromiseLike<T>),
    second?: () => T | PromiseLike<T>,
  ): Promise<T> {
    const [options, body] = typeof first === "function" ? [{}, first] : [first, second];
    if (body === undefined) return Promise.reject(noBody(this.name));
    // A text is a list of its letters, and nobody means to lock those.
    if (typeof keys === "string")
      return Promise.reject(
        new OptionError("keys", `Cannot lock the keys "${keys}": expected a list of keys`),
      );
    const sorted = [...new Set(keys)].sort(this.#lockClass.compare ?? compareKeys);
    const from = (index: number): Promise<T> => {
      if (index === sorted.length) return Promise.resolve().then(body);
      return this.run(sorted[index]!, options, () => from(index + 1));
    };
    return from(0);
  }

  /** An error for a key that is none, such as the missing name of something: all of those would share one lock. */
  #gateOrError(key: Key): Gate | OptionError {
    const known = this.#gates.get(key);
    if (known !== undefined) return known;
    if (typeof key === "string" || typeof key === "number") return this.#make(key);
    return new OptionError("key", `Cannot lock ${this.name}[${String(key)}]: expected a text or a number`);
  }

  #make(key: Key): Gate {
    if (!this.#hasSeveralKeys) this.#see(key);
    const core = new LockCore({
      domain: this.#domain,
      lockClass: this.#lockClass,
      permits: 1,
      discipline: inOrder,
      key,
      onIdle: () => this.#gates.delete(key),
    });
    const gate = new Gate(core, "exclusive", 1);
    this.#gates.set(key, gate);
    return gate;
  }

  #see(key: Key): void {
    this.#firstKey ??= key;
    this.#hasSeveralKeys = key !== this.#firstKey;
    if (this.#hasSeveralKeys) this.#domain.another(this.#lockClass);
  }

  #dropIdle(key: Key, gate: Gate): void {
    if (gate.core.isIdle && this.#gates.get(key) === gate) this.#gates.delete(key);
  }
}

/** Numbers by value, then texts by their UTF-16 units: an order that is the same in every process. */
export function compareKeys(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
