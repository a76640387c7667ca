import type { LockClass } from "../kinds.js";
import type { ClassFacts } from "./gates.js";

/** What the graph learns of classes while it looks at what is held. */
export class KnownClasses implements ClassFacts {
  readonly #classes: (LockClass | undefined)[] = [];
  /** The only lock of each class that was seen so far. */
  readonly #sole: (WeakRef<object> | undefined)[] = [];
  readonly #many: Set<number> = new Set();
  readonly #weighted: Set<number> = new Set();
  #hasPermits = false;

  /** Whether any class has several permits. */
  get hasPermits(): boolean {
    return this.#hasPermits;
  }

  hasMany({ id }: LockClass): boolean {
    return this.#many.has(id);
  }

  hasWeights({ id }: LockClass): boolean {
    return this.#weighted.has(id);
  }

  /** @returns whether something that was thought to exclude may not do so any more */
  see(lockClass: LockClass, lock: object | undefined, weight: number): boolean {
    this.#classes[lockClass.id] = lockClass;
    if (lockClass.permits > 1) this.#hasPermits = true;
    const isHeavy = lockClass.permits > 1 && weight > 1 && !this.#weighted.has(lockClass.id);
    if (isHeavy) this.#weighted.add(lockClass.id);
    return (lock !== undefined && this.#another(lockClass, lock)) || isHeavy;
  }

  /** @returns whether that is news */
  seeMany(lockClass: LockClass): boolean {
    if (this.#many.has(lockClass.id)) return false;
    this.#classes[lockClass.id] = lockClass;
    this.#many.add(lockClass.id);
    this.#sole[lockClass.id] = undefined;
    return true;
  }

  forget({ id }: LockClass): void {
    this.#classes[id] = undefined;
    this.#sole[id] = undefined;
    this.#many.delete(id);
    this.#weighted.delete(id);
  }

  get(id: number): LockClass | undefined {
    return this.#classes[id];
  }

  all(): readonly LockClass[] {
    return this.#classes.filter((lockClass) => lockClass !== undefined);
  }

  #another(lockClass: LockClass, lock: object): boolean {
    if (this.#many.has(lockClass.id)) return false;
    const sole = this.#sole[lockClass.id];
    if (sole === undefined) this.#sole[lockClass.id] = new WeakRef(lock);
    return sole !== undefined && sole.deref() !== lock && this.seeMany(lockClass);
  }
}
