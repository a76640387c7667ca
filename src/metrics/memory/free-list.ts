import { blockWord, threadWord } from "./layout.js";

/** Takes the first free piece of a list. Only the list's thread takes, so that none it has looked at can come back meanwhile. */
export function takeFree(i32: Int32Array, wordsAt: number, list: number): number {
  const headAt = wordsAt + threadWord.free + list;
  for (;;) {
    const first = Atomics.load(i32, headAt);
    if (first === 0) return 0;
    const next = i32[first * 2 + blockWord.next]!;
    if (Atomics.compareExchange(i32, headAt, first, next) === first) return first;
  }
}

/** Puts a piece into a thread's list; any thread may. */
export function putFree(i32: Int32Array, wordsAt: number, list: number, unit: number): void {
  const headAt = wordsAt + threadWord.free + list;
  for (;;) {
    const first = Atomics.load(i32, headAt);
    i32[unit * 2 + blockWord.next] = first;
    if (Atomics.compareExchange(i32, headAt, first, unit) === first) return;
  }
}
