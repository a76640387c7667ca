/*
 * What locks should do, written as plainly as possible and without a look at how they do it: the tests compare the two step by step.
 */

export type ModelKind = "fifo" | "phase-fair" | "readers-first";

export interface ModelLockSpec {
  readonly kind: ModelKind;
  /** Of a fifo lock; read-write locks have none. @default 1 */
  readonly permits?: number;
  /** @default 0 */
  readonly overtakingMax?: number;
}

export interface ModelRequest {
  readonly id: number;
  readonly task: number;
  readonly lock: number;
  readonly isShared: boolean;
  readonly weight: number;
  /** Whether it may give up by itself. */
  readonly isImpatient: boolean;
  /** The reader's hold that becomes the writer's. */
  readonly upgrades?: number;
}

interface ModelWaiter extends ModelRequest {
  overtaken: number;
}

interface ModelLock {
  readonly spec: ModelLockSpec;
  holds: ModelRequest[];
  queue: ModelWaiter[];
}

/** All locks and who has to do with them. */
export class LockModel {
  readonly #locks: ModelLock[];

  constructor(specs: readonly ModelLockSpec[] | LockModel) {
    this.#locks =
      specs instanceof LockModel
        ? specs.#locks.map(({ spec, holds, queue }) => ({
            spec,
            holds: [...holds],
            queue: queue.map((waiter) => ({ ...waiter })),
          }))
        : specs.map((spec) => ({ spec, holds: [], queue: [] }));
  }

  get holds(): readonly ModelRequest[] {
    return this.#locks.flatMap(({ holds }) => holds);
  }

  get waiters(): readonly ModelRequest[] {
    return this.#locks.flatMap(({ queue }) => queue);
  }

  heldBy(task: number): readonly ModelRequest[] {
    return this.holds.filter((hold) => hold.task === task);
  }

  isWaiting(task: number): boolean {
    return this.waiters.some((waiter) => waiter.task === task);
  }

  /** Permits that are taken; a writer takes all. */
  usedOf(lock: number): number {
    return this.#locks[lock]!.holds.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** @returns whether it was granted at once; `isTry` leaves no trace otherwise */
  request(request: ModelRequest, isTry: boolean): boolean {
    const lock = this.#locks[request.lock]!;
    if (request.upgrades !== undefined) {
      if (lock.holds.length === 1) {
        this.#grant(lock, { ...request, overtaken: 0 });
        return true;
      }
      lock.queue.push({ ...request, overtaken: 0 });
      return false;
    }
    if (this.#isFree(lock, request) && this.#isFirst(lock, request)) {
      lock.holds.push(request);
      return true;
    }
    if (!isTry) lock.queue.push({ ...request, overtaken: 0 });
    return false;
  }

  /** @returns who was served by it, in that order */
  release(id: number): readonly number[] {
    const lock = this.#locks.find(({ holds }) => holds.some((hold) => hold.id === id))!;
    const hold = lock.holds.find((one) => one.id === id)!;
    lock.holds = lock.holds.filter((one) => one !== hold);
    return this.#serve(lock, !hold.isShared);
  }

  giveUp(id: number): readonly number[] {
    const lock = this.#locks.find(({ queue }) => queue.some((waiter) => waiter.id === id))!;
    lock.queue = lock.queue.filter((waiter) => waiter.id !== id);
    return this.#serve(lock, false);
  }

  /**
   * Whether there is any future in which the waiter is served: those who don't wait release what they hold, in whatever order, and
   * nobody asks for more. With `mayGiveUp` those who are impatient may also stop waiting.
   */
  canBeServed(id: number, mayGiveUp: boolean): boolean {
    const seen = new Set<string>();
    const open: LockModel[] = [new LockModel(this)];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const { waiters } = state;
      if (waiters.every((waiter) => waiter.id !== id)) return true;
      for (const hold of state.holds) {
        if (waiters.some((waiter) => waiter.task === hold.task)) continue;
        push(state, (next) => next.release(hold.id));
      }
      if (mayGiveUp)
        for (const waiter of waiters)
          if (waiter.isImpatient && waiter.id !== id) push(state, (next) => next.giveUp(waiter.id));
    }
    return false;

    function push(from: LockModel, change: (next: LockModel) => void): void {
      const next = new LockModel(from);
      change(next);
      const key = next.toString();
      if (seen.has(key)) return;
      seen.add(key);
      open.push(next);
    }
  }

  toString(): string {
    return this.#locks
      .map(
        ({ holds, queue }) =>
          `${holds.map(describe).sort().join(" ")} < ${queue.map((one) => `${describe(one)}+${one.overtaken}`).join(" ")}`,
      )
      .join(" | ");
  }

  #isFree({ spec, holds }: ModelLock, { isShared, weight }: ModelRequest): boolean {
    if (spec.kind !== "fifo") return isShared ? holds.every((hold) => hold.isShared) : holds.length === 0;
    return holds.reduce((sum, hold) => sum + hold.weight, 0) + weight <= (spec.permits ?? 1);
  }

  /** Whether nobody in line has to go before a newcomer. */
  #isFirst({ spec, queue }: ModelLock, { isShared }: ModelRequest): boolean {
    const head = queue[0];
    if (head === undefined) return true;
    if (spec.kind === "readers-first") return isShared;
    if (spec.kind === "phase-fair") return isShared && queue.every((waiter) => waiter.isShared);
    if (head.overtaken >= (spec.overtakingMax ?? 0)) return false;
    head.overtaken += 1;
    return true;
  }

  #serve(lock: ModelLock, hasWriterEnded: boolean): readonly number[] {
    const served: number[] = [];
    for (;;) {
      const next =
        lock.spec.kind === "fifo" ? this.#nextOfLine(lock) : this.#nextOfPhases(lock, hasWriterEnded);
      if (next === undefined) return served;
      this.#grant(lock, next);
      served.push(next.id);
    }
  }

  #nextOfLine(lock: ModelLock): ModelWaiter | undefined {
    const [head, ...others] = lock.queue;
    if (head === undefined || this.#isFree(lock, head)) return head;
    if (head.overtaken >= (lock.spec.overtakingMax ?? 0)) return undefined;
    const small = others.find((waiter) => this.#isFree(lock, waiter));
    if (small !== undefined) head.overtaken += 1;
    return small;
  }

  #nextOfPhases(lock: ModelLock, hasWriterEnded: boolean): ModelWaiter | undefined {
    const { queue, holds, spec } = lock;
    const upgrade = queue.find(
      ({ upgrades }) => upgrades !== undefined && holds.length === 1 && holds[0]!.id === upgrades,
    );
    if (upgrade !== undefined) return upgrade;
    const firstWriter = queue.findIndex((waiter) => !waiter.isShared);
    const comeIn =
      spec.kind === "readers-first" || hasWriterEnded || firstWriter === -1
        ? queue
        : queue.slice(0, firstWriter);
    const reader = comeIn.find((waiter) => waiter.isShared && this.#isFree(lock, waiter));
    if (reader !== undefined) return reader;
    return queue.find(
      (waiter) => !waiter.isShared && waiter.upgrades === undefined && this.#isFree(lock, waiter),
    );
  }

  #grant(lock: ModelLock, waiter: ModelWaiter): void {
    lock.queue = lock.queue.filter((one) => one !== waiter);
    const { upgrades } = waiter;
    if (upgrades === undefined) lock.holds.push(waiter);
    // The hold stays the same one, and is the writer's from now on.
    else lock.holds = lock.holds.map((hold) => (hold.id === upgrades ? { ...hold, isShared: false } : hold));
  }
}

function describe({ id, isShared }: ModelRequest): string {
  return `${id}${isShared ? "r" : ""}`;
}
