import type { DomainReport, HolderReport, LockReport, WaiterReport } from "./report-data.js";

/** Somebody who holds or waits: a waiter with the holds that it is below, or a hold with nothing waiting below it. */
export interface Party {
  readonly id: number;
  readonly task: string;
  readonly holds: readonly Holding[];
  readonly waits: readonly Waiting[];
}

export interface Holding {
  readonly lock: LockReport;
  readonly holder: HolderReport;
}

export interface Waiting {
  readonly lock: LockReport;
  readonly waiter: WaiterReport;
}

/** Who waits for whom. */
export interface WaitPicture {
  readonly parties: readonly Party[];
  /** Waits that end only when somebody gives up, each circle in its order: each waits for the next, the last for the first. */
  readonly circles: readonly (readonly Waiting[])[];
  /** Stuck behind a circle without being part of it. */
  readonly behind: readonly Waiting[];
  /** Waits that may end by themselves, the longest first. */
  readonly others: readonly Waiting[];
}

export function pictureOf(report: DomainReport): WaitPicture {
  const holdings = report.locks.flatMap((lock) => lock.holders.map((holder) => ({ lock, holder })));
  const waitings = report.locks.flatMap((lock) => lock.waiters.map((waiter) => ({ lock, waiter })));
  const stuck = stuckOf(waitings);
  const circles = circlesOf(stuck);
  const inCircle = new Set(circles.flat());
  return {
    parties: partiesOf(holdings, waitings),
    circles,
    behind: longestFirst([...stuck].filter((waiting) => !inCircle.has(waiting))),
    others: longestFirst(waitings.filter((waiting) => !stuck.has(waiting))),
  };
}

/** Whether tasks wait for each other, so that none of them goes on before one gives up. */
export function hasStuckTasks(report: DomainReport): boolean {
  return pictureOf(report).circles.length > 0;
}

function longestFirst(waitings: readonly Waiting[]): Waiting[] {
  return [...waitings].sort((a, b) => (b.waiter.ageMs ?? 0) - (a.waiter.ageMs ?? 0));
}

/**
 * By reduction: whoever could be served once everybody has let go who can is taken away, until nothing changes. Exact for several permits.
 * A hold is let go when nothing waits below it.
 */
function stuckOf(waitings: readonly Waiting[]): Set<Waiting> {
  const stuck = new Set(waitings);
  for (let isReduced = true; isReduced; ) {
    isReduced = false;
    for (const waiting of stuck) {
      if (!couldBeServed(waiting, stuck)) continue;
      stuck.delete(waiting);
      isReduced = true;
    }
  }
  return stuck;
}

function couldBeServed(waiting: Waiting, stuck: ReadonlySet<Waiting>): boolean {
  const { lock, waiter } = waiting;
  if (earlierOf(waiting, stuck).length > 0) return false;
  const kept = lock.holders.filter((holder) => !isOwn(waiting, holder) && below(holder, stuck).length > 0);
  if (lock.kind === "latch") return kept.length === 0;
  if (lock.kind === "read-write")
    return kept.every(({ mode }) => mode === "shared" && waiter.mode === "shared");
  const keptWeight = kept.reduce((sum, { weight }) => sum + weight, 0);
  return keptWeight + waiter.weight <= lock.permits;
}

/** Those in line before it whom it may not overtake. */
function earlierOf({ lock, waiter }: Waiting, stuck: ReadonlySet<Waiting>): Waiting[] {
  if (lock.isReaderPreferring === true && waiter.mode === "shared") return [];
  return [...stuck].filter((other) => other.lock === lock && other.waiter.position < waiter.position);
}

/** A reader that wants to become the writer does not stand in its own way. */
function isOwn({ waiter }: Waiting, holder: HolderReport): boolean {
  return waiter.mode === "exclusive" && holder.mode === "shared" && waiter.holding.includes(holder.id);
}

function below(holder: HolderReport, waitings: ReadonlySet<Waiting>): Waiting[] {
  return [...waitings].filter(({ waiter }) => waiter.holding.includes(holder.id));
}

function blockersOf(waiting: Waiting, stuck: ReadonlySet<Waiting>): Waiting[] {
  const holders = waiting.lock.holders.filter((holder) => !isOwn(waiting, holder));
  return [...holders.flatMap((holder) => below(holder, stuck)), ...earlierOf(waiting, stuck)];
}

/** From each to one that it waits for, until one comes again. */
function circlesOf(stuck: ReadonlySet<Waiting>): Waiting[][] {
  const circles: Waiting[][] = [];
  const seen = new Set<Waiting>();
  for (const start of stuck) {
    const path: Waiting[] = [];
    let at: Waiting | undefined = start;
    while (at !== undefined && !seen.has(at)) {
      seen.add(at);
      path.push(at);
      at = blockersOf(at, stuck)[0];
    }
    const from = at === undefined ? -1 : path.indexOf(at);
    if (from >= 0) circles.push(path.slice(from));
  }
  return circles;
}

function partiesOf(holdings: readonly Holding[], waitings: readonly Waiting[]): Party[] {
  const groups: { ids: Set<number>; waits: Waiting[] }[] = [];
  for (const waiting of waitings) {
    const ids = new Set(waiting.waiter.holding);
    const waits = [waiting];
    // Waiters below one hold are one party: it ends when all of them have.
    for (const other of groups.filter((group) => [...group.ids].some((id) => ids.has(id)))) {
      for (const id of other.ids) ids.add(id);
      waits.unshift(...other.waits);
      groups.splice(groups.indexOf(other), 1);
    }
    groups.push({ ids, waits });
  }
  const taken = new Set(groups.flatMap(({ ids }) => [...ids]));
  const parties: Omit<Party, "id">[] = groups.map(({ ids, waits }) => ({
    task: waits[0]?.waiter.task ?? "",
    holds: holdings.filter(({ holder }) => ids.has(holder.id)),
    waits,
  }));
  for (const holding of holdings) {
    // Whoever will open a latch is not known, unless something waits below it.
    if (taken.has(holding.holder.id) || holding.lock.kind === "latch") continue;
    parties.push({ task: holding.holder.task, holds: [holding], waits: [] });
  }
  return parties.map((party, id) => ({ id, ...party }));
}
