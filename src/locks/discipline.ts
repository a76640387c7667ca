import type { LockPart, Stuck, WaiterPart } from "./parts.js";
/** Who is served when. `core.fits` says whether the permits suffice; a discipline decides whose turn it is. */
export interface Discipline {
  /** Whether a newcomer may go ahead at once, given that the permits suffice. */
  admits(core: LockPart, mode: "exclusive" | "shared"): boolean;
  /** Serves whoever can be served now; called after each release and each waiter that gave up. */
  serve(core: LockPart, ended: "exclusive" | "shared" | "nobody"): void;
  /**
   * Whether the waiter would be served at last if everybody ended who isn't stuck for ever. `stuckWeight` is what stuck holds keep,
   * `isStuck` tells the waiters that never move.
   */
  couldServe(waiter: WaiterPart, stuck: Stuck): boolean;
}

/** In order of arrival; up to `overtakingMax` times somebody who fits may go before one at the head who doesn't yet. */
export function fifo(overtakingMax: number): Discipline {
  return {
    admits(core) {
      const { head } = core.queue;
      if (head === undefined) return true;
      if (head.overtaken >= overtakingMax) return false;
      head.overtaken += 1;
      if (head.overtaken === overtakingMax) core.lookAgain();
      return true;
    },
    serve(core) {
      let { head } = core.queue;
      while (head !== undefined && core.fits(head.weight)) {
        core.grant(head);
        head = core.queue.head;
      }
      if (head === undefined || overtakingMax === 0) return;
      for (let waiter = head.behind; waiter !== undefined && head.overtaken < overtakingMax; ) {
        const { behind } = waiter;
        if (core.fits(waiter.weight)) {
          head.overtaken += 1;
          core.grant(waiter);
        }
        waiter = behind;
      }
      if (head.overtaken === overtakingMax) core.lookAgain();
    },
    couldServe(waiter, stuck) {
      if (stuck.weight + waiter.weight > waiter.core.permits) return false;
      for (let earlier = waiter.ahead; earlier !== undefined; earlier = earlier.ahead)
        if (stuck.isStuck(earlier) && earlier.overtaken >= overtakingMax) return false;
      return true;
    },
  };
}

/** In order of arrival, past no one. */
export const inOrder: Discipline = fifo(0);

/**
 * Phases: when a writer ends, all readers that wait come in, then the next writer; a reader that comes while a writer waits stands behind
 * it. So neither waits for more than one phase of the other.
 */
export const phaseFair: Discipline = {
  admits(core, mode) {
    return mode === "shared" ? core.queue.exclusive === 0 : core.queue.size === 0;
  },
  serve(core, ended) {
    serveUpgrade(core);
    // Otherwise only those whom no writer came before; there are some when that writer gave up.
    if (serveReaders(core, ended === "exclusive" ? "all" : "before writers")) return;
    serveWriter(core);
  },
  couldServe(waiter, stuck) {
    if (waiter.upgradeOf !== undefined) return couldUpgrade(waiter, stuck);
    if (waiter.mode === "exclusive") return stuck.weight === 0 && !hasStuck(waiter, stuck, isWriter);
    if (stuck.hasExclusive) return false;
    // A writer that holds it now and will end lets the readers in before the next writer.
    if (waiter.core.isHeldExclusively) return true;
    return !hasStuck(waiter, stuck, isWriter);
  },
};

/** Readers come in whenever no writer holds it; a writer waits until there are none. */
export const readersFirst: Discipline = {
  admits(core, mode) {
    return mode === "shared" || core.queue.size === 0;
  },
  serve(core) {
    serveUpgrade(core);
    if (serveReaders(core, "all")) return;
    serveWriter(core);
  },
  couldServe(waiter, stuck) {
    if (waiter.upgradeOf !== undefined) return couldUpgrade(waiter, stuck);
    if (waiter.mode === "shared") return !stuck.hasExclusive;
    return stuck.weight === 0 && !hasStuck(waiter, stuck, isWriter);
  },
};

const isWriter = (waiter: WaiterPart): boolean => waiter.mode === "exclusive";

function hasStuck(before: WaiterPart, stuck: Stuck, which: (waiter: WaiterPart) => boolean): boolean {
  for (
    let earlier = before.core.queue.head;
    earlier !== undefined && earlier !== before;
    earlier = earlier.behind
  )
    if (which(earlier) && stuck.isStuck(earlier)) return true;
  return false;
}

/** The upgrading reader needs the other readers to end; a second one that upgrades never does. */
function couldUpgrade(waiter: WaiterPart, stuck: Stuck): boolean {
  return (
    stuck.weight <= (waiter.upgradeOf?.weight ?? 0) &&
    !hasStuck(waiter, stuck, (one) => one.upgradeOf !== undefined)
  );
}

function serveUpgrade(core: LockPart): void {
  for (let waiter = core.queue.head; waiter !== undefined; waiter = waiter.behind)
    if (waiter.upgradeOf !== undefined && core.used === waiter.upgradeOf.weight) {
      core.grant(waiter);
      return;
    }
}

function serveReaders(core: LockPart, which: "all" | "before writers"): boolean {
  let isServed = false;
  for (let waiter = core.queue.head; waiter !== undefined; ) {
    const { behind } = waiter;
    if (which === "before writers" && waiter.mode === "exclusive") break;
    if (waiter.mode === "shared" && core.fits(waiter.weight)) {
      core.grant(waiter);
      isServed = true;
    }
    waiter = behind;
  }
  return isServed;
}

function serveWriter(core: LockPart): void {
  for (let waiter = core.queue.head; waiter !== undefined; waiter = waiter.behind) {
    if (waiter.mode !== "exclusive" || waiter.upgradeOf !== undefined) continue;
    if (core.fits(waiter.weight)) core.grant(waiter);
    return;
  }
}
