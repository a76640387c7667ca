import type { Acquire, Program, ProgramLock } from "./lock-programs.testkit.js";

/** Past this many states the answer is "unknown". */
const statesMax = 400_000;

// A task is three numbers: what it does next, its place in the queue of what it waits for (from 1; 0 if it runs), and which of its
// attempts succeeded, one bit for each operation.
const next = 0;
const place = 1;
const got = 2;
const width = 3;

/**
 * Whether the tasks, one for each program given, can come to where nobody can go on and somebody isn't done: by looking at every
 * interleaving. Locks are served in order of arrival; readers of a reader-preferring one whenever nobody writes.
 */
export function canDeadlock(programs: readonly Program[]): boolean | "unknown" {
  const sorted = [...programs].sort((one, other) => (one.name < other.name ? -1 : 1));
  return new Interleavings(sorted).search();
}

/** One operation with everything about it at hand. */
interface Plain {
  readonly acquire: Acquire | undefined;
  /** Of what is given back. */
  readonly releases: number;
  readonly lock: ProgramLock;
}

/** A task that fails at an attempt ends, or goes on without, as its program says. */
interface Task {
  readonly program: Program;
  readonly operations: readonly Plain[];
  /** For each place in the program the acquisitions that may be held there. */
  readonly heldAt: readonly (readonly number[])[];
}

class Interleavings {
  readonly #tasks: readonly Task[];
  readonly #tried: ReadonlySet<ProgramLock>;
  readonly #seen: Set<string> = new Set();
  readonly #open: number[][] = [];
  /** What is being changed. */
  #state: number[] = [];

  constructor(programs: readonly Program[]) {
    const known = new Map<Program, Task>();
    for (const program of programs) if (!known.has(program)) known.set(program, taskOf(program));
    this.#tasks = programs.map((program) => known.get(program)!);
    const operations = this.#tasks.flatMap((task) => task.operations);
    this.#tried = new Set(operations.filter(({ acquire }) => acquire?.isTry).map(({ lock }) => lock));
  }

  search(): boolean | "unknown" {
    this.#state = this.#tasks.flatMap(() => [0, 0, 0]);
    this.#visit();
    for (let state = this.#open.pop(); state !== undefined; state = this.#open.pop()) {
      if (this.#seen.size > statesMax) return "unknown";
      if (this.#isStuck(state)) return true;
    }
    return false;
  }

  /** Visits what follows; true if nothing does though somebody isn't done. */
  #isStuck(state: readonly number[]): boolean {
    let isDone = true;
    let isStuck = true;
    for (let task = 0; task < this.#tasks.length; task += 1) {
      if (state[task * width + next]! >= this.#tasks[task]!.operations.length) continue;
      isDone = false;
      if (state[task * width + place] !== 0) continue;
      isStuck = false;
      this.#state = state.slice();
      this.#step(task);
      this.#visit();
    }
    return isStuck && !isDone;
  }

  #step(task: number): void {
    const at = this.#state[task * width + next]!;
    const { acquire, releases, lock } = this.#tasks[task]!.operations[at]!;
    if (acquire === undefined) {
      const isHeld = this.#has(task, releases);
      this.#state[task * width + next] = at + 1;
      if (isHeld) this.#serve(lock);
    } else if (this.#admits(acquire)) this.#grant(task);
    else if (acquire.isTry) this.#fail(task, at);
    else this.#state[task * width + place] = this.#queue(lock).length + 1;
  }

  #fail(task: number, at: number): void {
    const { program, operations, heldAt } = this.#tasks[task]!;
    this.#state[task * width + next] = at + 1;
    if (program.goesOnWithout) return;
    const held = heldAt[at]!.filter((index) => this.#has(task, index));
    this.#state[task * width + next] = operations.length;
    this.#state[task * width + got] = 0;
    for (const index of held) this.#serve(operations[index]!.lock);
  }

  #grant(task: number): void {
    const at = this.#state[task * width + next]!;
    if (this.#tasks[task]!.operations[at]!.acquire!.isTry) this.#state[task * width + got]! |= 1 << at;
    this.#state[task * width + next] = at + 1;
    this.#state[task * width + place] = 0;
  }

  #admits(wanted: Acquire): boolean {
    const passes = wanted.mode === "shared" && wanted.lock.lockClass.isReaderPreferring;
    return (passes || this.#queue(wanted.lock).length === 0) && this.#fits(wanted);
  }

  #fits({ lock, mode, weight }: Acquire): boolean {
    let used = 0;
    for (let task = 0; task < this.#tasks.length; task += 1) {
      const { operations, heldAt } = this.#tasks[task]!;
      for (const index of heldAt[this.#state[task * width + next]!]!) {
        const { acquire } = operations[index]!;
        if (acquire!.lock !== lock || (mode === "shared" && acquire!.mode === "shared")) continue;
        if (this.#has(task, index)) used += acquire!.weight;
      }
    }
    return used === 0 || used + weight <= lock.lockClass.permits;
  }

  /** Whether the task got what it wanted there, given that it has been past it and not given it back. */
  #has(task: number, index: number): boolean {
    const isTry = this.#tasks[task]!.operations[index]!.acquire!.isTry;
    return !isTry || (this.#state[task * width + got]! & (1 << index)) !== 0;
  }

  #queue(lock: ProgramLock): number[] {
    const waiting: number[] = [];
    for (let task = 0; task < this.#tasks.length; task += 1) {
      const at = this.#state[task * width + place]!;
      if (at !== 0 && this.#wantedBy(task).lock === lock) waiting[at - 1] = task;
    }
    return waiting;
  }

  #wantedBy(task: number): Acquire {
    return this.#tasks[task]!.operations[this.#state[task * width + next]!]!.acquire!;
  }

  #serve(lock: ProgramLock): void {
    const left: number[] = [];
    for (const task of this.#queue(lock)) {
      const wanted = this.#wantedBy(task);
      const passes = wanted.mode === "shared" && lock.lockClass.isReaderPreferring;
      if ((left.length === 0 || passes) && this.#fits(wanted)) this.#grant(task);
      else left.push(task);
    }
    for (const [index, task] of left.entries()) this.#state[task * width + place] = index + 1;
  }

  #visit(): void {
    this.#releaseEarly();
    this.#sortCopies();
    const key = String.fromCharCode(...this.#state);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#open.push(this.#state);
  }

  /** A release may go before whatever others do: it only lets them do more, unless somebody looks whether the lock is free. */
  #releaseEarly(): void {
    for (let task = 0; task < this.#tasks.length; task += 1) {
      const operation = this.#tasks[task]!.operations[this.#state[task * width + next]!];
      if (operation === undefined || operation.acquire !== undefined || this.#tried.has(operation.lock))
        continue;
      this.#step(task);
      // What it gave back may have brought somebody else to a release.
      task = -1;
    }
  }

  /** Copies of one program are the same task in another order. They stand side by side. */
  #sortCopies(): void {
    for (let end = 1; end < this.#tasks.length; end += 1)
      for (let task = end; task > 0 && this.#isAfter(task - 1, task); task -= 1)
        for (let offset = 0; offset < width; offset += 1) {
          const here = task * width + offset;
          const moved = this.#state[here]!;
          this.#state[here] = this.#state[here - width]!;
          this.#state[here - width] = moved;
        }
  }

  #isAfter(one: number, other: number): boolean {
    if (this.#tasks[one] !== this.#tasks[other]) return false;
    for (let offset = 0; offset < width; offset += 1) {
      const difference = this.#state[one * width + offset]! - this.#state[other * width + offset]!;
      if (difference !== 0) return difference > 0;
    }
    return false;
  }
}

function taskOf(program: Program): Task {
  const operations = program.operations.map((one): Plain => {
    if (one.kind === "acquire") return { acquire: one, releases: -1, lock: one.lock };
    return { acquire: undefined, releases: one.index, lock: (program.operations[one.index] as Acquire).lock };
  });
  const heldAt: (readonly number[])[] = [[]];
  for (const [index, { acquire, releases }] of operations.entries()) {
    const held = heldAt[index]!;
    heldAt.push(acquire === undefined ? held.filter((one) => one !== releases) : [...held, index]);
  }
  return { program, operations, heldAt };
}
