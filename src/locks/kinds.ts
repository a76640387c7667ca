/** How a hold excludes others: `exclusive` excludes everybody, `shared` only exclusive ones. A semaphore's permits are exclusive. */
export type Mode = "exclusive" | "shared";

/**
 * How much is checked: nothing (`off`, loads no AsyncLocalStorage), declared levels (`levels`), the order of acquisition as well
 * (`order`), and who waits for whom as well (`full`).
 */
export type Detection = "off" | "levels" | "order" | "full";

/** What happens with a finding: the acquisition that showed it throws, or the domain's logger warns, or it is only kept for `report()`. */
export type OnFinding = "throw" | "warn" | "collect";

/**
 * A class of locks: all locks of one name. What is learnt about one of them is true of all, so one pass through each simple chain
 * proves every interleaving of every instance.
 */
export interface LockClass {
  /** Small and dense within its domain; 0 is the first. */
  readonly id: number;
  readonly name: string;
  readonly kind: "mutex" | "read-write" | "semaphore";
  /** Permits of each instance; 1 for a mutex and a read-write lock. */
  readonly permits: number;
  /** Readers come in while others hold it, even past a waiting writer: they can never be what a reader waits for. */
  readonly isReaderPreferring: boolean;
  /** Declared level; acquisitions must go upwards. */
  readonly level: number | undefined;
  /** Order within the class: two instances may nest when `compare(held, wanted) < 0`. */
  readonly compare: ((held: unknown, wanted: unknown) => number) | undefined;
}
