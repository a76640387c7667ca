import { channel } from "node:diagnostics_channel";
import { threadId, type Worker } from "node:worker_threads";
import { MetricThreadsError } from "../errors.js";
import { slotsUnit, slotUnits, threadState, threadWord, word } from "./layout.js";
import type { Segment } from "./segment.js";
import { ThreadWriter } from "./writer.js";

/**
 * Takes a place for this thread: one whose thread has ended, with its blocks, or a new one.
 * @param parent id of the thread that started this one, if that is known
 * @throws MetricThreadsError when all are in use
 */
export function claimWriter(segment: Segment, parent?: number): ThreadWriter {
  const { i32 } = segment;
  for (const wanted of [threadState.dead, threadState.free, threadState.ended]) {
    for (let slot = 0; slot < segment.threadsMax; slot += 1) {
      if (!claim(segment, slot, wanted, parent)) continue;
      if (wanted === threadState.ended) countEnd(segment, slot);
      // What the former thread was at, or nobody else could be: its place is alive again.
      for (const turn of [word.reader, word.expirer]) Atomics.compareExchange(i32, turn, slot + 1, 0);
      const writer = new ThreadWriter(segment, slot);
      writer.finishNewest();
      endOrderly(segment, slot);
      return writer;
    }
  }
  throw new MetricThreadsError(segment.threadsMax);
}

/**
 * Takes a place that is in the wanted state. Its thread's id is what decides between those who want it and who buries its former thread:
 * who has exchanged that may change the rest.
 */
function claim(segment: Segment, slot: number, wanted: number, parent: number | undefined): boolean {
  const { i32 } = segment;
  const at = segment.threadUnit(slot) * 2;
  const idAt = at + threadWord.threadId;
  if (Atomics.load(i32, at + threadWord.state) !== wanted) return false;
  const former = Atomics.load(i32, idAt);
  // A place is being buried if it is of nobody and not dead yet, and being taken if it is dead and of somebody.
  if ((former !== 0) !== (wanted === threadState.ended)) return false;
  if (Atomics.compareExchange(i32, idAt, former, threadId + 1) !== former) return false;
  // Before it is alive: nobody may take it for its former thread's, whose parent may be ending just now.
  Atomics.store(i32, at + threadWord.parent, parent === undefined ? 0 : parent + 1);
  Atomics.add(i32, at + threadWord.incarnation, 1);
  if (Atomics.compareExchange(i32, at + threadWord.state, wanted, threadState.live) === wanted) return true;
  // Since the first look it had another thread, whose burial is not over.
  Atomics.compareExchange(i32, idAt, threadId + 1, 0);
  return false;
}

/** States of this thread's places, one for each registry. */
const ownStates: { readonly i32: Int32Array<SharedArrayBuffer>; readonly at: number }[] = [];

/** A thread that ends by itself says so; its place is taken over once its parent sees that it is gone, or when there is no other. */
function endOrderly(segment: Segment, slot: number): void {
  if (threadId === 0) return;
  if (ownStates.length === 0) process.once("exit", sayEnd);
  ownStates.push({ i32: segment.i32, at: segment.threadUnit(slot) * 2 + threadWord.state });
}

function sayEnd(): void {
  for (const { i32, at } of ownStates) Atomics.compareExchange(i32, at, threadState.live, threadState.ended);
}

const watched = new Set<Segment>();

/**
 * From now on, sees the end of each thread that this one starts, however it ends, and gives its place free. Nothing is asked of the
 * thread and nobody has to be told of it: Node publishes each new `Worker`.
 */
export function watchThreads(segment: Segment): void {
  if (watched.size === 0) channel("worker_threads").subscribe(onWorker);
  watched.add(segment);
}

export function unwatchThreads(segment: Segment): void {
  watched.delete(segment);
  if (watched.size === 0) channel("worker_threads").unsubscribe(onWorker);
}

function onWorker(message: unknown): void {
  const { worker } = message as { readonly worker: Worker };
  const id = worker.threadId;
  worker.once("exit", () => {
    for (const segment of watched) buryThread(segment, id);
  });
}

/** Gives the places of a thread, and of those that it started, free. To be called once no step of that thread can follow. */
export function buryThread(segment: Segment, id: number): void {
  const { i32 } = segment;
  for (let slot = 0; slot < segment.threadsMax; slot += 1) {
    const at = segment.threadUnit(slot) * 2;
    const state = Atomics.load(i32, at + threadWord.state);
    // Not if another thread has gone on with it, or somebody else is burying it.
    if (Atomics.compareExchange(i32, at + threadWord.threadId, id + 1, 0) !== id + 1) continue;
    if (state !== threadState.live && state !== threadState.ended) continue;
    countEnd(segment, slot);
    Atomics.store(i32, at + threadWord.state, threadState.dead);
  }
  for (const child of childrenOf(segment, id)) buryThread(segment, child);
}

/** Node ends a thread's threads before it, and nobody else sees them end. */
function childrenOf(segment: Segment, id: number): number[] {
  const { i32, threadsMax } = segment;
  const children = new Set<number>();
  for (let slot = 0; slot < threadsMax; slot += 1) {
    const at = segment.threadUnit(slot) * 2;
    const state = Atomics.load(i32, at + threadWord.state);
    const isThere = state === threadState.live || state === threadState.ended;
    if (isThere && i32[at + threadWord.parent] === id + 1) children.add(i32[at + threadWord.threadId]! - 1);
  }
  children.delete(id);
  return [...children];
}

/** Counts the thread's end, and the record that it had begun and not made. */
function countEnd(segment: Segment, slot: number): void {
  const { i32 } = segment;
  Atomics.add(i32, word.threadsEnded, 1);
  if (isRecording(segment, slot)) Atomics.add(i32, word.recordsLost, 1);
}

/** Whether the slot's thread has begun a record and not made it yet. */
export function isRecording(segment: Segment, slot: number): boolean {
  const { i32 } = segment;
  const unit = segment.threadUnit(slot);
  const next = (Atomics.load(i32, unit * 2 + threadWord.seq) + 1) | 0;
  return Atomics.load(i32, (unit + slotsUnit + (next & 1) * slotUnits) * 2) === next;
}
