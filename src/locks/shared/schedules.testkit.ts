import assert from "node:assert/strict";
import {
  type LockMemory,
  next,
  ownerKind,
  packOwner,
  packPlace,
  placeOf,
  placeState,
  type Word,
} from "./words.js";

/** What a simulated thread does; runs over the real functions, one atomic step at a time. */
export type Program = (thread: SimulatedThread) => void;

/** Thrown to stop a thread before its next atomic step; never seen outside. */
const suspended = Symbol("suspended");
/** Logged for a wait that has not ended. */
const asleep = Symbol("asleep");

export interface State {
  readonly words: readonly number[];
  readonly places: readonly bigint[];
  /** What each thread has seen so far. A thread is its program and this: it is run again from the start for each step. */
  readonly logs: readonly (readonly unknown[])[];
  readonly finished: readonly boolean[];
  readonly dead: readonly boolean[];
  /** Place on which each thread sleeps. */
  readonly sleepsOn: readonly (number | undefined)[];
  readonly inside: readonly boolean[];
  /** Marks of all threads in their order, for FIFO. */
  readonly history: readonly string[];
}

/** The mutable copy of a state in which one step is taken. */
interface Draft {
  words: number[];
  places: bigint[];
  logs: unknown[][];
  finished: boolean[];
  dead: boolean[];
  sleepsOn: (number | undefined)[];
  inside: boolean[];
  history: string[];
}

/** The memory as a simulated thread sees it: earlier steps are answered from its log, one new one is taken, the next suspends. */
export class SimulatedThread implements LockMemory {
  readonly placeCount: number;
  readonly id: number;
  readonly #draft: Draft;
  readonly #log: unknown[];
  #at = 0;
  #hasStepped = false;

  constructor(draft: Draft, id: number) {
    this.#draft = draft;
    this.#log = draft.logs[id]!;
    this.placeCount = draft.places.length;
    this.id = id;
  }

  load(at: Word): number {
    return this.#step(() => this.#draft.words[at]!);
  }

  swap(at: Word, expected: number, value: number): boolean {
    return this.#step(() => {
      if (this.#draft.words[at] !== expected) return false;
      this.#draft.words[at] = value;
      return true;
    });
  }

  loadPlace(index: number): bigint {
    return this.#step(() => this.#draft.places[index]!);
  }

  swapPlace(index: number, expected: bigint, value: bigint): boolean {
    return this.#step(() => {
      if (this.#draft.places[index] !== expected) return false;
      this.#draft.places[index] = value;
      return true;
    });
  }

  wake(index: number): void {
    this.#step(() => {
      for (const [other, place] of this.#draft.sleepsOn.entries()) {
        if (place !== index) continue;
        this.#draft.sleepsOn[other] = undefined;
        const log = this.#draft.logs[other]!;
        log[log.length - 1] = "woken";
      }
      return true;
    });
  }

  /** As `Atomics.wait`: sleeps only if the place still is what the waiter saw. */
  waitOn(position: number): void {
    const { index, round } = placeOf(this, position);
    const outcome = this.#step(() => {
      if (this.#draft.places[index] !== packPlace(round, this.id, placeState.waiting)) return "changed";
      this.#draft.sleepsOn[this.id] = index;
      return asleep;
    });
    if (outcome === asleep) throw suspended;
  }

  /** The body of the lock: two steps long. */
  inside(): void {
    this.#step(() => {
      const others = this.#draft.inside.filter((isInside, other) => isInside && !this.#draft.dead[other]);
      assert.equal(others.length, 0, "two threads are inside");
      this.#draft.inside[this.id] = true;
      this.#draft.history.push(`in ${this.id}`);
      return true;
    });
    this.#step(() => {
      this.#draft.inside[this.id] = false;
      return true;
    });
  }

  /** Puts something down in the history of all threads; part of the step that follows or precedes it. */
  mark(what: string): void {
    this.#step(() => {
      this.#draft.history.push(`${what} ${this.id}`);
      return true;
    });
  }

  #step<T>(take: () => T): T {
    if (this.#at < this.#log.length) {
      const seen = this.#log[this.#at] as T;
      this.#at += 1;
      if (seen === (asleep as T)) throw suspended;
      return seen;
    }
    if (this.#hasStepped) throw suspended;
    this.#hasStepped = true;
    const seen = take();
    this.#log.push(seen);
    this.#at += 1;
    return seen;
  }
}

export interface Exploration {
  readonly programs: readonly Program[];
  readonly placeCount: number;
  /** Position of the queue's head at the start. @default 0 */
  readonly startAt?: number;
  /** Owner word at the start. @default free */
  readonly startOwner?: number;
  /** Threads that may die before any of their steps, and whose death is seen by the program that calls `repair`. */
  readonly mortal?: readonly number[];
  /** Program that runs `repair` once a mortal thread is dead; it takes no step before. */
  readonly undertaker?: number;
  /** Most times that a thread which could go on is left for another; all schedules when absent. */
  readonly preemptionsMax?: number;
  /** Looks at a state in which nothing can happen any more. */
  readonly atEnd: (state: State) => void;
}

/** Visits every state that any schedule can reach. @returns how many there were */
export function explore(exploration: Exploration): number {
  const { programs, placeCount, preemptionsMax = Number.POSITIVE_INFINITY, startAt = 0 } = exploration;
  const start: State = {
    words: [0, exploration.startOwner ?? packOwner(startAt, ownerKind.free), startAt, startAt, 0],
    places: placesAt(startAt, placeCount),
    logs: programs.map(() => []),
    finished: programs.map(() => false),
    dead: programs.map(() => false),
    sleepsOn: programs.map(() => undefined),
    inside: programs.map(() => false),
    history: [],
  };
  const seen = new Set<string>();
  const stack: { state: State; last: number; preemptions: number }[] = [
    { state: start, last: -1, preemptions: 0 },
  ];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { state, last, preemptions } = item;
    const key = keyOf(state, Number.isFinite(preemptionsMax) ? `${last}/${preemptions}` : "");
    if (seen.has(key)) continue;
    seen.add(key);
    const ready = programs.map((_, id) => id).filter((id) => canStep(exploration, state, id));
    if (ready.length === 0) exploration.atEnd(state);
    for (const id of ready) {
      const spent = preemptions + (id !== last && ready.includes(last) ? 1 : 0);
      if (spent <= preemptionsMax)
        stack.push({ state: step(programs, state, id), last: id, preemptions: spent });
    }
    for (const id of exploration.mortal ?? []) {
      const isAlive = !state.dead[id] && !state.finished[id] && !state.dead.includes(true);
      if (isAlive) stack.push({ state: kill(state, id), last: -1, preemptions });
    }
  }
  return seen.size;
}

/** Empty places of a queue whose head has come to `head`. */
function placesAt(head: number, placeCount: number): readonly bigint[] {
  const places = Array.from({ length: placeCount }, () => 0n);
  for (let position = head, n = 0; n < placeCount; position = next(position), n += 1) {
    places[position % placeCount] = packPlace(Math.floor(position / placeCount), 0, placeState.empty);
  }
  return places;
}

function canStep({ undertaker }: Exploration, state: State, id: number): boolean {
  if (state.finished[id] || state.dead[id] || state.sleepsOn[id] !== undefined) return false;
  return id !== undertaker || state.dead.includes(true);
}

function step(programs: readonly Program[], state: State, id: number): State {
  const draft = copy(state);
  try {
    programs[id]!(new SimulatedThread(draft, id));
    draft.finished[id] = true;
  } catch (error) {
    if (error !== suspended) assert.fail(`${String(error)} after ${state.history.join(", ")}`);
  }
  return draft;
}

function kill(state: State, id: number): State {
  const draft = copy(state);
  draft.dead[id] = true;
  draft.sleepsOn[id] = undefined;
  draft.history.push(draft.inside[id] ? `died inside ${id}` : `died ${id}`);
  return draft;
}

function copy(state: State): Draft {
  return {
    words: [...state.words],
    places: [...state.places],
    logs: state.logs.map((log) => [...log]),
    finished: [...state.finished],
    dead: [...state.dead],
    sleepsOn: [...state.sleepsOn],
    inside: [...state.inside],
    history: [...state.history],
  };
}

function keyOf(state: State, extra: string): string {
  const logs = state.logs.map((log) => log.map(String).join(","));
  return [state.words, state.places, logs.join(";"), state.finished, state.dead, state.history, extra].join(
    "|",
  );
}
