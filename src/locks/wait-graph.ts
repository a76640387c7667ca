import type { HeldPart, LockPart, WaiterPart } from "./parts.js";
export interface Deadlock {
  /** Each waits for something that the next one holds, or stands in line behind it; the last one for the first. */
  readonly cycle: readonly WaiterPart[];
  /** Nobody in it gives up by itself. */
  readonly isCertain: boolean;
}

/** Beyond this many waiters the answer is that there is none: the limit of the wait will tell. */
const waitersMax = 10_000;

/**
 * Whether this waiter, which has just got in line, can never be served. By reduction, which is exact for locks with several permits too:
 * of all waiters that could have to do with it, whoever could be served if everybody ended who can end is taken away, until nothing changes;
 * those who remain wait for each other for ever. A hold can't end while something below it waits.
 */
export function findDeadlock(newest: WaiterPart): Deadlock | undefined {
  const involved = gather(newest);
  if (involved === undefined) return undefined;
  for (let isReduced = true; isReduced; ) {
    isReduced = false;
    for (const waiter of involved) {
      if (!couldBeServed(waiter, involved)) continue;
      if (waiter === newest) return undefined;
      involved.delete(waiter);
      isReduced = true;
    }
  }
  const cycle = cycleFrom(newest, involved);
  return { cycle, isCertain: cycle.every((waiter) => waiter.isPatient) };
}

/** Everybody whom the newest waits for, directly or through others; undefined as soon as that is somebody who runs and is enough. */
function gather(newest: WaiterPart): Set<WaiterPart> | undefined {
  const involved = new Set<WaiterPart>([newest]);
  for (const waiter of involved) {
    if (involved.size > waitersMax) return undefined;
    for (const other of blockersOf(waiter)) involved.add(other);
  }
  return involved.size === 1 && !isStuckAlone(newest) ? undefined : involved;
}

/** One waiter alone is stuck when a hold above itself stands in its way. */
function isStuckAlone(waiter: WaiterPart): boolean {
  for (let hold = waiter.core.firstHold; hold !== undefined; hold = hold.next)
    if (hold.waiters?.has(waiter) === true) return true;
  return false;
}

function* blockersOf(waiter: WaiterPart): Generator<WaiterPart> {
  for (let hold = waiter.core.firstHold; hold !== undefined; hold = hold.next)
    if (hold !== waiter.upgradeOf && hold.waiters !== undefined) yield* hold.waiters;
  for (
    let earlier = waiter.core.queue.head;
    earlier !== undefined && earlier !== waiter;
    earlier = earlier.next
  )
    yield earlier;
}

function couldBeServed(waiter: WaiterPart, involved: ReadonlySet<WaiterPart>): boolean {
  const { core } = waiter;
  let weight = 0;
  let hasExclusive = false;
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next) {
    if (!isStuck(hold, involved)) continue;
    weight += hold.weight;
    if (hold.mode === "exclusive") hasExclusive = true;
  }
  return core.couldServe(waiter, {
    weight,
    hasExclusive,
    isStuck: (other) => involved.has(other),
  });
}

function isStuck(hold: HeldPart, involved: ReadonlySet<WaiterPart>): boolean {
  if (hold.waiters === undefined) return false;
  for (const waiter of hold.waiters) if (involved.has(waiter)) return true;
  return false;
}

/** From each to one that it waits for, until one comes again; those before that one are merely behind the cycle. */
function cycleFrom(newest: WaiterPart, stuck: ReadonlySet<WaiterPart>): readonly WaiterPart[] {
  const path: WaiterPart[] = [];
  let at: WaiterPart | undefined = newest;
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = nextOf(at, stuck);
  }
  return at === undefined ? path : path.slice(path.indexOf(at));
}

function nextOf(waiter: WaiterPart, stuck: ReadonlySet<WaiterPart>): WaiterPart | undefined {
  const core: LockPart = waiter.core;
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next) {
    if (hold === waiter.upgradeOf) continue;
    for (const other of hold.waiters ?? []) if (stuck.has(other)) return other;
  }
  for (let earlier = core.queue.head; earlier !== undefined && earlier !== waiter; earlier = earlier.next)
    if (stuck.has(earlier)) return earlier;
  return undefined;
}
