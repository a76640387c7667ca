import assert from "node:assert/strict";
import type { Clock } from "../../base/index.js";
import { threadUnits, threadWord } from "./layout.js";
import { Segment } from "./segment.js";

/** What a simulated thread does, with the real code, over `thread.segment`. Run again from the start whenever the thread goes on. */
export type Program = (thread: SimulatedThread) => void;

/** Thrown to stop a thread before an access of shared memory; never seen outside. */
const suspended = Symbol("suspended");

/** A thread is left for another before the step `at`, counted over all threads; `isDead`: and never goes on. */
export interface Switch {
  readonly at: number;
  readonly to: number;
  readonly isDead?: boolean;
}

export interface Exploration {
  readonly programs: readonly Program[];
  /** Most times that a thread is left for another while it could go on. */
  readonly preemptionsMax: number;
  /** Threads that may die before any of their steps, once in a schedule; a death counts as a preemption. */
  readonly mortal?: readonly number[];
  /** Instead of all schedules so many of those with up to `preemptionsMax`, drawn at random. */
  readonly sampled?: { readonly schedules: number; readonly random: () => number };
  /** Looks at what was marked, when nothing can go on any more. */
  readonly check: (history: readonly Mark[], dead: readonly number[]) => void;
  readonly threadsMax?: number;
  /** After which a series expires. @default never */
  readonly idleMs?: number;
}

export interface Mark {
  readonly thread: number;
  readonly what: string;
  readonly value: unknown;
}

/** Answers accesses from its log, up to where the thread was suspended; then does them. */
export class SimulatedThread {
  readonly id: number;
  readonly segment: Segment;
  readonly clock: Clock;
  readonly #world: World;
  log: unknown[] = [];
  #at = 0;
  #budget = 0;
  #quiet = 0;
  #isSuspended = false;
  /** Steps of the run under way. */
  taken = 0;

  constructor(world: World, id: number) {
    this.id = id;
    this.#world = world;
    this.segment = world.viewsFor(this);
    this.clock = {
      now: () => 1e12 + this.monotonic(),
      monotonicMs: () => this.monotonic(),
      after: () => () => undefined,
    };
  }

  /** Puts something down in the history of all threads, in the step before it. */
  mark(what: string, value: unknown = undefined): void {
    this.quietly(() => this.access(() => this.#world.history.push({ thread: this.id, what, value })));
  }

  /** Lets time pass for all threads. */
  advance(ms: number): void {
    this.quietly(() => this.access(() => (this.#world.elapsedMs += ms)));
  }

  /** Whether another thread has come to its end or was killed. */
  isGone(thread: number): boolean {
    return this.access(() => this.#world.over.has(thread));
  }

  /** Nobody comes in between the steps of `body`. */
  quietly<T>(body: () => T): T {
    this.#quiet += 1;
    try {
      return body();
    } finally {
      this.#quiet -= 1;
    }
  }

  monotonic(): number {
    return this.quietly(() => this.access(() => this.#world.elapsedMs)) as number;
  }

  /** True when the program came to its end. */
  run(program: Program, budget: number): boolean {
    this.#at = 0;
    this.#budget = budget;
    this.#quiet = 0;
    this.#isSuspended = false;
    this.taken = 0;
    this.#world.running = this;
    try {
      program(this);
      return true;
    } catch (error) {
      if (error !== suspended) throw error;
      return false;
    }
  }

  access<T>(take: () => T): T {
    // What `finally` does on the way out is not done now.
    if (this.#isSuspended) throw suspended;
    if (this.#at < this.log.length) return this.log[this.#at++] as T;
    if (this.#quiet === 0) {
      if (this.#budget === 0) {
        this.#isSuspended = true;
        throw suspended;
      }
      this.#budget -= 1;
      this.taken += 1;
      // Nothing here waits for anybody; who takes so many steps never ends.
      assert.ok(this.log.length < 100_000, "a thread does not come to its end");
    }
    const seen = take();
    this.log.push(seen);
    this.#at += 1;
    return seen;
  }
}

type AnyArray = Int32Array | Float64Array | Uint8Array | BigInt64Array;

type WorldOptions = Pick<Exploration, "programs" | "threadsMax" | "idleMs">;

/** Shared memory whose every access is a step, and the threads over it. */
class World {
  running: SimulatedThread | undefined;
  history: Mark[] = [];
  elapsedMs = 0;
  over: Set<number> = new Set();
  readonly threads: readonly SimulatedThread[];
  readonly #programs: readonly Program[];
  readonly #segment: Segment;
  readonly #raw = new Map<object, AnyArray>();
  readonly #memory: Uint8Array;
  readonly #start: Uint8Array;
  readonly #logs: readonly (readonly unknown[])[];
  readonly #marks: readonly Mark[];

  constructor({ programs, threadsMax = programs.length + 1, idleMs = 0 }: WorldOptions) {
    this.#programs = programs;
    this.#segment = Segment.create(
      { reserveBytes: 640 * 1024, threadsMax, familiesMax: 8 },
      { startedMs: 1e12, startedMonotonicMs: 0, seriesMax: 10_000, idleMs },
    );
    this.threads = programs.map((_, id) => new SimulatedThread(this, id));
    // What stands quietly at the start of a program is done before the first schedule begins.
    this.#withAtomics(() => {
      for (const [id, program] of programs.entries()) this.threads[id]!.run(program, 0);
    });
    this.#memory = new Uint8Array(this.#segment.buffer);
    this.#start = this.#memory.slice();
    this.#logs = this.threads.map(({ log }) => [...log]);
    this.#marks = this.history;
  }

  /** Runs one schedule; answers its length and who could have gone on, or undefined when it names a thread that could not. */
  execute(
    switches: readonly Switch[],
    first: number,
  ): { steps: number; dead: number[]; owners: number[] } | undefined {
    this.#restore();
    this.history = [...this.#marks];
    this.elapsedMs = 0;
    for (const [id, thread] of this.threads.entries()) thread.log = [...this.#logs[id]!];
    const over = new Set<number>();
    this.over = over;
    const dead: number[] = [];
    const owners: number[] = [];
    let current = first;
    let next = 0;
    return this.#withAtomics(() => {
      for (;;) {
        const change = switches[next];
        const budget = change === undefined ? Number.POSITIVE_INFINITY : change.at - owners.length;
        const isOver = this.threads[current]!.run(this.#programs[current]!, budget);
        for (let n = this.threads[current]!.taken; n > 0; n -= 1) owners.push(current);
        if (isOver) {
          over.add(current);
          current = this.#next(current, over);
          if (current === -1) return { steps: owners.length, dead, owners };
          continue;
        }
        if (change!.isDead === true) {
          over.add(current);
          dead.push(current);
        }
        if (change!.to === current || over.has(change!.to)) return undefined;
        current = change!.to;
        next += 1;
      }
    });
  }

  /** Puts the memory back to what it was before the first schedule, as far as it was used. */
  #restore(): void {
    const used = this.#segment.usedBytes;
    const chainsEnd = this.#segment.chains.byteOffset + 16;
    const heap = this.#segment.chains.byteOffset + this.#segment.chains.byteLength;
    this.#memory.set(this.#start.subarray(heap, used), heap);
    this.#memory.set(this.#start.subarray(0, chainsEnd), 0);
  }

  viewsFor(thread: SimulatedThread): Segment {
    const segment = new Segment(this.#segment.buffer);
    // Few chains, so that they meet, and all of them are looked at in no time.
    const chains = new BigInt64Array(segment.buffer, segment.chains.byteOffset, 2);
    return Object.assign(segment, {
      i32: this.#stepwise(segment.i32, thread),
      f64: this.#stepwise(segment.f64, thread),
      bytes: this.#stepwise(segment.bytes, thread),
      chains: this.#stepwise(chains, thread),
      chainHalves: this.#stepwise(segment.chainHalves, thread),
    });
  }

  #next(current: number, over: ReadonlySet<number>): number {
    for (let n = 1; n <= this.threads.length; n += 1) {
      const id = (current + n) % this.threads.length;
      if (!over.has(id)) return id;
    }
    return -1;
  }

  #stepwise<A extends AnyArray>(raw: A, thread: SimulatedThread): A {
    const proxy = new Proxy(raw, {
      get: (_, key) => {
        if (typeof key === "string" && key >= "0" && key < ":") return thread.access(() => raw[Number(key)]);
        const value: unknown = Reflect.get(raw, key, raw);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          thread.access(() => (value as (...args: unknown[]) => unknown).apply(raw, args));
      },
      set: (_, key, value) => {
        thread.access(() => {
          raw[Number(key)] = value as never;
        });
        return true;
      },
    });
    this.#raw.set(proxy, raw);
    return proxy;
  }

  #withAtomics<T>(body: () => T): T {
    const real = globalThis.Atomics;
    const step =
      (name: "load" | "store" | "add" | "sub" | "exchange" | "compareExchange" | "notify") =>
      (array: object, ...rest: never[]): unknown => {
        const raw = this.#raw.get(array);
        const call = real[name] as (...args: unknown[]) => unknown;
        if (raw === undefined) return call(array, ...rest);
        return this.running!.access(() => call(raw, ...rest));
      };
    const names = ["load", "store", "add", "sub", "exchange", "compareExchange", "notify"] as const;
    const fake = {
      ...Object.fromEntries(names.map((name) => [name, step(name)])),
      // Whoever waits has waited long enough.
      wait: () => "timed-out",
    };
    globalThis.Atomics = fake as never;
    try {
      return body();
    } finally {
      globalThis.Atomics = real;
    }
  }
}

/** How many schedules with more preemptions are drawn at random; POUNDLOCK_METRICS=full makes it all with two, and many with more. */
const isFull = process.env.POUNDLOCK_METRICS === "full";
export const seed: number = Number(process.env.POUNDLOCK_SEED ?? 20261121);

/** Every schedule with one preemption (all: two), and a sample of those with up to four. @returns how many there were */
export function exploreMost(exploration: Omit<Exploration, "preemptionsMax" | "sampled">): number {
  const every = explore({ ...exploration, preemptionsMax: isFull ? 2 : 1 });
  const sampled = { schedules: isFull ? 20_000 : 150, random: randomFrom(seed) };
  return every + explore({ ...exploration, preemptionsMax: 4, sampled });
}

/** Marsaglia's xorshift: the same numbers from the same seed, 0 to below 1. */
function randomFrom(start: number): () => number {
  let state = start | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Runs every schedule of the programs with few preemptions. @returns how many there were */
export function explore(exploration: Exploration): number {
  const world = new World(exploration);
  let count = 0;
  const visit = (switches: readonly Switch[], first: number): ReturnType<World["execute"]> => {
    let done: ReturnType<World["execute"]>;
    try {
      done = world.execute(switches, first);
      if (done === undefined) return undefined;
      count += 1;
      exploration.check(world.history, done.dead);
    } catch (error) {
      const marks = world.history.map(
        ({ thread, what, value }) => `${thread} ${what} ${JSON.stringify(value)}`,
      );
      const schedule = JSON.stringify({ first, switches });
      const message = `Broken by the schedule ${schedule}: ${marks.join("; ")}`;
      throw Object.assign(new assert.AssertionError({ message }), { cause: error });
    }
    return done;
  };
  if (exploration.sampled === undefined) {
    for (let first = 0; first < exploration.programs.length; first += 1) all(exploration, [], first, visit);
  } else sample(exploration, exploration.sampled, visit);
  return count;
}

type Visit = (switches: readonly Switch[], first: number) => { steps: number; owners: number[] } | undefined;

function all(exploration: Exploration, switches: readonly Switch[], first: number, visit: Visit): void {
  const done = visit(switches, first);
  if (done === undefined) return;
  if (switches.length === exploration.preemptionsMax) return;
  const hasDied = switches.some(({ isDead }) => isDead);
  for (let at = (switches.at(-1)?.at ?? -1) + 1; at < done.steps; at += 1) {
    for (let to = 0; to < exploration.programs.length; to += 1) {
      const left = done.owners[at]!;
      // Leaving a thread before its first step is another `first`, or what follows the end of the one before.
      if (to === left) continue;
      all(exploration, [...switches, { at, to }], first, visit);
      if (!hasDied && exploration.mortal?.includes(left) === true)
        all(exploration, [...switches, { at, to, isDead: true }], first, visit);
    }
  }
}

function sample(
  exploration: Exploration,
  { schedules, random }: NonNullable<Exploration["sampled"]>,
  visit: Visit,
): void {
  const below = (limit: number): number => Math.floor(random() * limit);
  const threads = exploration.programs.length;
  for (let n = 0; n < schedules; n += 1) {
    const first = below(threads);
    let switches: Switch[] = [];
    let done = visit([], first);
    let hasDied = false;
    for (let left = 1 + below(exploration.preemptionsMax); left > 0 && done !== undefined; left -= 1) {
      const from = (switches.at(-1)?.at ?? -1) + 1;
      if (from >= done.steps) break;
      const at = from + below(done.steps - from);
      const isDead: boolean =
        !hasDied && exploration.mortal?.includes(done.owners[at]!) === true && below(2) === 0;
      hasDied ||= isDead;
      switches = [...switches, { at, to: below(threads), ...(isDead ? { isDead } : {}) }];
      done = visit(switches, first);
    }
  }
}

/** Gives the thread's slot an id of its own, as threads have; all programs run in one. */
export function nameThread(thread: SimulatedThread): void {
  const { i32, threadsMax } = thread.segment;
  thread.quietly(() => {
    for (let slot = 0; slot < threadsMax; slot += 1) {
      const at = (64 + slot * threadUnits) * 2 + threadWord.threadId;
      if (i32[at] === 1) i32[at] = simulatedId(thread.id) + 1;
    }
  });
}

export function simulatedId(thread: number): number {
  return 1000 + thread;
}
