import { assertInvariant } from "../../base/index.js";
import {
  isLater,
  isPast,
  kindOf,
  type LockMemory,
  next,
  ownerKind,
  ownerValue,
  packOwner,
  packPlace,
  placeOf,
  placeState,
  readPlace,
  roundAfter,
  word,
} from "./words.js";

/*
 * A mutex whose waiters stand in a ring of places. What its correctness rests on, each point used below:
 *
 * 1. Positions are taken in order, and a thread takes one by the very step that writes its own number into the place. So there is
 *    never a waiter of whom nobody knows which thread it belongs to.
 * 2. The owner word is queue(h) exactly until position h is over. So a grant at the head is valid however late it comes: as
 *    long as the place still waits, the owner word has not moved.
 * 3. Whoever changes anything goes on with `settle` until there is nothing left to do, and each of its steps may be done by anybody, twice, or
 *    late. So a thread may die between any two steps, and `repair` has only to take away what is written under its number.
 */

/** Took the mutex without queueing. */
export const entered = -1;
/** All places are in use. */
export const noPlace = -2;

/** Takes the mutex if it is free: one compare-and-exchange. */
export function tryEnter(memory: LockMemory, thread: number): boolean {
  const owner = memory.load(word.owner);
  if (kindOf(owner) !== ownerKind.free) return false;
  return memory.swap(word.owner, owner, packOwner(thread, ownerKind.held));
}

/** Takes the mutex (`entered`), or a position in its queue, or finds no place (`noPlace`). */
export function enter(memory: LockMemory, thread: number): number {
  if (tryEnter(memory, thread)) return entered;
  const position = takePosition(memory, thread);
  if (position !== noPlace) settle(memory);
  return position;
}

/** Makes the caller the holder once its position is granted; until then it answers false and the caller waits on its place. */
export function accept(memory: LockMemory, thread: number, position: number): boolean {
  const { index, round } = placeOf(memory, position);
  const granted = packPlace(round, thread, placeState.granted);
  if (memory.loadPlace(index) !== granted) return false;
  // First, because it is where `leave` goes on from: left behind, it would have to be walked up from at every hand-over.
  raiseHead(memory, next(position));
  // `wanted`, because somebody may have queued behind, seen that the head is granted, and relied on a hand-over.
  const wanted = packOwner(thread, ownerKind.wanted);
  const isHolder = memory.swap(word.owner, packOwner(position, ownerKind.queue), wanted);
  assertInvariant(isHolder, "the owner word stays at a granted position until its thread moves it");
  memory.swapPlace(index, granted, packPlace(roundAfter(memory, round), 0, placeState.empty));
  return true;
}

/** Gives up a position. False when it has been granted by now: then the caller must `accept`. */
export function giveUp(memory: LockMemory, thread: number, position: number): boolean {
  const { index, round } = placeOf(memory, position);
  const waiting = packPlace(round, thread, placeState.waiting);
  const over = packPlace(roundAfter(memory, round), 0, placeState.empty);
  if (!memory.swapPlace(index, waiting, over)) return false;
  skipOver(memory);
  return true;
}

/** Hands over to the next, or leaves the mutex free. False when the caller's thread was not the holder. */
export function leave(memory: LockMemory, thread: number): boolean {
  const head = memory.load(word.head);
  const held = packOwner(thread, ownerKind.held);
  if (memory.swap(word.owner, held, packOwner(head, ownerKind.free))) return true;
  const wanted = packOwner(thread, ownerKind.wanted);
  if (!memory.swap(word.owner, wanted, packOwner(head, ownerKind.queue))) return false;
  settle(memory);
  return true;
}

/** Whether an earlier holder died with the mutex; true for one holder only. */
export function takeAbandoned(memory: LockMemory): boolean {
  return memory.load(word.abandoned) !== 0 && memory.swap(word.abandoned, 1, 0);
}

/** Takes away what a dead thread has written. To be called once no step of that thread can follow. */
export function repair(memory: LockMemory, thread: number): void {
  for (let index = 0; index < memory.placeCount; index += 1) clearPlace(memory, index, thread);
  for (;;) {
    const owner = memory.load(word.owner);
    const isHeld = kindOf(owner) === ownerKind.held || kindOf(owner) === ownerKind.wanted;
    if (!isHeld || ownerValue(owner) !== thread) break;
    // Before the owner word moves, so that the next holder can't miss it.
    memory.swap(word.abandoned, 0, 1);
    const head = memory.load(word.head);
    if (memory.swap(word.owner, owner, packOwner(head, ownerKind.queue))) break;
  }
  settle(memory);
  // The thread may have died after it had granted and before it woke.
  const owner = memory.load(word.owner);
  if (kindOf(owner) === ownerKind.queue) memory.wake(placeOf(memory, ownerValue(owner)).index);
}

function clearPlace(memory: LockMemory, index: number, thread: number): void {
  for (;;) {
    const packed = memory.loadPlace(index);
    const place = readPlace(packed);
    if (place.state === placeState.empty || place.thread !== thread) return;
    const over = packPlace(roundAfter(memory, place.round), 0, placeState.empty);
    if (memory.swapPlace(index, packed, over)) return;
  }
}

function takePosition(memory: LockMemory, thread: number): number {
  let position = memory.load(word.tail);
  for (;;) {
    const { index, round } = placeOf(memory, position);
    const packed = memory.loadPlace(index);
    const place = readPlace(packed);
    if (place.round === round && place.state === placeState.empty) {
      if (!memory.swapPlace(index, packed, packPlace(round, thread, placeState.waiting))) continue;
      memory.swap(word.tail, position, next(position));
      return position;
    }
    if (place.round === round || isPast(memory, place.round, round)) {
      // Taken already, and the tail is behind: who took it may be dead, so anybody moves it on.
      memory.swap(word.tail, position, next(position));
      position = next(position);
    } else {
      // The round before is still waiting there. If the tail is still here as well, the ring is full.
      const tail = memory.load(word.tail);
      if (tail === position) return noPlace;
      position = tail;
    }
  }
}

/** Goes on until the holder knows that it is waited for, or the head of the queue is granted, or nobody waits. */
function settle(memory: LockMemory): void {
  for (;;) {
    const owner = memory.load(word.owner);
    const kind = kindOf(owner);
    if (kind === ownerKind.wanted) return;
    if (kind === ownerKind.held) {
      if (memory.swap(word.owner, owner, packOwner(ownerValue(owner), ownerKind.wanted))) return;
    } else if (settleHead(memory, owner)) return;
  }
}

/** One step for a head that nobody holds. True when nothing is left to do. */
function settleHead(memory: LockMemory, owner: number): boolean {
  const head = ownerValue(owner);
  const { index, round } = placeOf(memory, head);
  const packed = memory.loadPlace(index);
  const place = readPlace(packed);
  const isOver = isPast(memory, place.round, round);
  if (kindOf(owner) === ownerKind.free) {
    if (!isOver && place.state === placeState.empty) return true;
    memory.swap(word.owner, owner, packOwner(head, ownerKind.queue));
    return false;
  }
  if (isOver) {
    memory.swap(word.owner, owner, packOwner(next(head), ownerKind.queue));
    return false;
  }
  if (place.state === placeState.granted) return true;
  if (place.state === placeState.waiting) {
    if (!memory.swapPlace(index, packed, packPlace(round, place.thread, placeState.granted))) return false;
    memory.wake(index);
    return true;
  }
  // Nobody came. The position is used up first, so that nobody can take it while the mutex becomes free.
  if (memory.swapPlace(index, packed, packPlace(roundAfter(memory, round), 0, placeState.empty))) {
    raiseHead(memory, next(head));
    memory.swap(word.owner, owner, packOwner(next(head), ownerKind.free));
  }
  return false;
}

function raiseHead(memory: LockMemory, to: number): void {
  for (;;) {
    const head = memory.load(word.head);
    if (!isLater(to, head) || memory.swap(word.head, head, to)) return;
  }
}

/** Moves the head past positions that are over, so that those who give up behind a long hold leave nothing to walk through. */
function skipOver(memory: LockMemory): void {
  for (;;) {
    const head = memory.load(word.head);
    const { index, round } = placeOf(memory, head);
    if (!isPast(memory, readPlace(memory.loadPlace(index)).round, round)) return;
    memory.swap(word.head, head, next(head));
  }
}
