import type { Clock } from "../base/index.js";
import type { Waiter, WaiterRow } from "./waiter.js";

/** Waiters with a limit of one length, in the order in which they came. */
class Row implements WaiterRow {
  readonly limitMs: number;
  head: Waiter | undefined;
  tail: Waiter | undefined;
  cancel: (() => void) | undefined;
  isResting = false;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }
}

const noRow = new Row(Number.NaN);

/** How late a limit may end: an eighth of its length, and never more than this. */
const lateMsMax = 1_000;
const ticksPerLimit = 8;

/**
 * The usual limits of waits. Nearly all waits of a domain have the same one and end long before it, and reading the clock for each costs as
 * much as handing the lock over; so a timer comes by now and then, gives the time to those that it finds new, and ends those that are due.
 * A limit ends in its time or up to an eighth later, and keeps the process alive while it runs.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #rows = new Map<number, Row>();
  /** The one asked for last; nearly always the one asked for next. */
  #newest: Row = noRow;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(waiter: Waiter): void {
    const { limitMs } = waiter;
    const row = limitMs === this.#newest.limitMs ? this.#newest : this.#rowOf(limitMs);
    waiter.dueMs = undefined;
    waiter.rowPrevious = row.tail;
    if (row.tail === undefined) row.head = waiter;
    else row.tail.rowNext = waiter;
    row.tail = waiter;
    waiter.row = row;
    if (row.cancel === undefined) this.#arm(row);
  }

  remove(waiter: Waiter): void {
    const row = waiter.row as Row | undefined;
    if (row === undefined) return;
    unlink(row, waiter);
    if (row.head === undefined) this.#restSoon(row);
  }

  #rowOf(limitMs: number): Row {
    let row = this.#rows.get(limitMs);
    if (row === undefined) this.#rows.set(limitMs, (row = new Row(limitMs)));
    this.#newest = row;
    return row;
  }

  #arm(row: Row): void {
    row.cancel = this.#clock.after(Math.min(lateMsMax, row.limitMs / ticksPerLimit), () => {
      row.cancel = undefined;
      this.#tick(row);
      if (row.head === undefined) this.#drop(row);
      else this.#arm(row);
    });
  }

  #drop(row: Row): void {
    this.#rows.delete(row.limitMs);
    if (this.#newest === row) this.#newest = noRow;
  }

  #tick(row: Row): void {
    const nowMs = this.#clock.monotonicMs();
    // Who came last has no time yet; from there back to the one that has.
    for (
      let waiter = row.tail;
      waiter !== undefined && waiter.dueMs === undefined;
      waiter = waiter.rowPrevious
    ) {
      waiter.dueMs = nowMs + row.limitMs;
    }
    while (row.head !== undefined && (row.head.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const due = row.head;
      unlink(row, due);
      due.core.timeOut(due);
    }
  }

  /** A timer that nobody needs would keep the process alive; but a lock that is fought over needs the next one at once. */
  #restSoon(row: Row): void {
    if (row.isResting) return;
    row.isResting = true;
    queueMicrotask(() => {
      row.isResting = false;
      if (row.head !== undefined) return;
      row.cancel?.();
      row.cancel = undefined;
      this.#drop(row);
    });
  }
}

function unlink(row: WaiterRow, waiter: Waiter): void {
  waiter.row = undefined;
  if (waiter.rowPrevious === undefined) row.head = waiter.rowNext;
  else waiter.rowPrevious.rowNext = waiter.rowNext;
  if (waiter.rowNext === undefined) row.tail = waiter.rowPrevious;
  else waiter.rowNext.rowPrevious = waiter.rowPrevious;
  // An old waiter that still pointed at a young one would keep it, and all after it, from being collected early.
  waiter.rowNext = undefined;
  waiter.rowPrevious = undefined;
}
