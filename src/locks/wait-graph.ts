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
  // Most waits are for somebody who runs.
  if (!hasWaitersBelow(newest.core)) return undefined;
  const involved = gather(newest);
  if (involved === undefined) return undefined;
  const stuck = reduce(involved, newest);
  if (stuck === undefined) return undefined;
  // Somebody who gives up by himself ends in time, and then perhaps all others can.
  const certain = reduce(new Set([...stuck].filter((waiter) => waiter.isPatient)), newest);
  return { cycle: cycleFrom(newest, certain ?? stuck), isCertain: certain !== undefined };
}

/** Those who are left when nobody can be served any more; undefined if the newest isn't among them. */
function reduce(waiters: Set<WaiterPart>, newest: WaiterPart): ReadonlySet<WaiterPart> | undefined {
  for (let isReduced = true; isReduced && waiters.has(newest); ) {
    isReduced = false;
    for (const waiter of waiters) {
      if (!couldBeServed(waiter, waiters)) continue;
      waiters.delete(waiter);
      isReduced = true;
    }
  }
  return waiters.has(newest) ? waiters : undefined;
}

/** Everybody whom the newest waits for, directly or through others, and whoever else stands in those lines. */
function gather(newest: WaiterPart): Set<WaiterPart> | undefined {
  const involved = new Set<WaiterPart>([newest]);
  const seen = new Set<LockPart>();
  for (const { core } of involved) {
    if (involved.size > waitersMax) return undefined;
    if (seen.has(core)) continue;
    seen.add(core);
    for (const other of waitersBelow(core)) involved.add(other);
    for (let other = core.queue.head; other !== undefined; other = other.behind) involved.add(other);
  }
  return involved;
}

function* waitersBelow(core: LockPart): Generator<WaiterPart> {
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next)
    if (hold.waiters !== undefined) yield* hold.waiters;
}

function hasWaitersBelow(core: LockPart): boolean {
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next)
    if (hold.waiters !== undefined && hold.waiters.size > 0) return true;
  return false;
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

/** Rather somebody else than itself: what it holds may be only a part of what is missing. */
function nextOf(waiter: WaiterPart, stuck: ReadonlySet<WaiterPart>): WaiterPart | undefined {
  const { core } = waiter;
  let isInItsOwnWay = false;
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next) {
    // A reader never waits for a reader, but for the writer in line between them.
    if (hold === waiter.upgradeOf || (hold.mode === "shared" && waiter.mode === "shared")) continue;
    for (const other of hold.waiters ?? []) {
      if (other === waiter) isInItsOwnWay = true;
      else if (stuck.has(other)) return other;
    }
  }
  for (let earlier = core.queue.head; earlier !== undefined && earlier !== waiter; earlier = earlier.behind)
    if (stuck.has(earlier)) return earlier;
  return isInItsOwnWay ? waiter : undefined;
}
