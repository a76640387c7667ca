import { ManualClock } from "../base/index.js";
import {
  type DomainOptions,
  Gate,
  type Hold,
  KeyedLock,
  LockDomain,
  type LockOptions,
  type ReadWriteLock,
} from "./index.js";
import { turn } from "./turn.testkit.js";

export interface Shape extends LockOptions {
  /** @default "mutex" */
  readonly kind?: "mutex" | "fair" | "readers first" | "keyed";
  readonly permits?: number;
}

export type Shapes = Readonly<Record<string, Shape>>;

/** What became of a task: undefined when it finished. */
export interface TaskEnd {
  readonly code: string | undefined;
  readonly cycle: readonly string[];
  readonly message: string;
}

/** Called before each acquisition and once before everything is given back. */
type Turn = () => Promise<void>;

/**
 * Locks by the names that programs use. `A B r(C) try(D) up(C) S*2 A2`: hold A, in it B, and so on, by `run`; read C; try D; make C's reader
 * the writer; take two permits of S; take the second lock of class A, or its key 2.
 */
export class LitmusWorld {
  readonly domain: LockDomain;
  readonly #shapes: Shapes;
  readonly #locks: Map<string, Gate | ReadWriteLock | KeyedLock<number>> = new Map();

  constructor(shapes: Shapes, options: DomainOptions) {
    this.#shapes = shapes;
    this.domain = new LockDomain({ clock: new ManualClock(0), waitMs: Number.POSITIVE_INFINITY, ...options });
  }

  /** Runs the program as a task of its own. */
  run(name: string, program: string, turn: Turn): Promise<TaskEnd> {
    const words = program.split(" ");
    return this.domain
      .task(name, () => this.#go(words, turn, []))
      .then(
        () => ({ code: undefined, cycle: [], message: "" }),
        (error: Error & { readonly code?: string; readonly cycle?: readonly string[] }) => ({
          code: error.code ?? error.name,
          cycle: error.cycle ?? [],
          message: error.message,
        }),
      );
  }

  async #go(words: readonly string[], turn: Turn, tried: readonly Hold[], reader?: Hold): Promise<void> {
    await turn();
    const [word, ...others] = words;
    if (word === undefined) return;
    const { how, name, key, weight } = partsOf(word);
    const options = { holding: tried, weight };
    const lock = this.#lock(name, key);
    if (how === "up") {
      await (lock as ReadWriteLock).upgrade(reader!);
      return this.#go(others, turn, tried);
    }
    if (lock instanceof KeyedLock) return lock.run(key, () => this.#go(others, turn, tried));
    if (how === "try") return this.#try(lock as Gate, others, turn, tried);
    if (lock instanceof Gate) return lock.run(options, () => this.#go(others, turn, tried));
    const gate = how === "W" ? lock.write : lock.read;
    return gate.run({ holding: tried }, (hold) => this.#go(others, turn, tried, hold));
  }

  async #try(gate: Gate, others: readonly string[], turn: Turn, tried: readonly Hold[]): Promise<void> {
    const hold = gate.tryAcquire({ holding: tried });
    try {
      await this.#go(others, turn, hold === undefined ? tried : [...tried, hold]);
    } finally {
      hold?.release();
    }
  }

  #lock(name: string, key: number): Gate | ReadWriteLock | KeyedLock<number> {
    const { kind = "mutex", permits, ...options } = this.#shapes[name] ?? {};
    const id = kind === "keyed" ? name : `${name}${key}`;
    const known = this.#locks.get(id);
    if (known !== undefined) return known;
    const made =
      kind === "keyed"
        ? this.domain.keyed<number>(name, options)
        : permits !== undefined
          ? this.domain.semaphore(name, permits, options)
          : kind === "mutex"
            ? this.domain.mutex(name, options)
            : this.domain.readWriteLock(name, {
                ...options,
                prefer: kind === "fair" ? "nobody" : "readers",
              });
    this.#locks.set(id, made);
    return made;
  }
}

/** Each task runs while nobody else does. */
export async function runAlone(world: LitmusWorld, programs: readonly string[]): Promise<readonly TaskEnd[]> {
  const ends: TaskEnd[] = [];
  for (const [index, program] of programs.entries())
    ends.push(await world.run(`T${index + 1}`, program, () => Promise.resolve()));
  return ends;
}

export interface Meeting {
  readonly ends: readonly TaskEnd[];
  /** Whose turn it was, step by step. */
  readonly schedule: readonly number[];
  readonly isHung: boolean;
  readonly world: LitmusWorld;
}

/** All ways in which the programs can come together, or a sample where they are too many. */
export async function* meetings(
  shapes: Shapes,
  programs: readonly string[],
  { max, random }: { readonly max: number; readonly random: () => number },
): AsyncGenerator<Meeting> {
  const path: { choice: number; of: number }[] = [];
  for (let count = 0; count < max; count += 1) {
    let depth = 0;
    yield await meet(shapes, programs, (ready) => {
      path[depth] ??= { choice: 0, of: ready };
      return path[depth++]!.choice;
    });
    path.length = depth;
    while (path.length > 0 && path.at(-1)!.choice + 1 === path.at(-1)!.of) path.pop();
    const last = path.at(-1);
    if (last === undefined) return;
    last.choice += 1;
  }
  // Too many: everybody takes a first step before anybody takes a second, and then whatever comes.
  let turn = 0;
  yield await meet(shapes, programs, (ready) => turn++ % ready);
  for (let count = 0; count < max; count += 1)
    yield await meet(shapes, programs, (ready) => Math.floor(random() * ready));
}

async function meet(
  shapes: Shapes,
  programs: readonly string[],
  choose: (ready: number) => number,
): Promise<Meeting> {
  const world = new LitmusWorld(shapes, { onFinding: "collect" });
  const turns = new Map<number, () => void>();
  const schedule: number[] = [];
  const ends: TaskEnd[] = [];
  programs.forEach((program, task) => {
    const turn: Turn = () => new Promise((resolve) => turns.set(task, resolve));
    void world.run(`T${task + 1}`, program, turn).then((end) => {
      ends[task] = end;
    });
  });
  await turn();
  while (turns.size > 0) {
    const ready = [...turns.keys()].sort();
    const task = ready[choose(ready.length)]!;
    const go = turns.get(task)!;
    turns.delete(task);
    schedule.push(task + 1);
    go();
    await turn();
  }
  return { ends, schedule, world, isHung: Object.keys(ends).length < programs.length };
}

function partsOf(word: string): { how: string; name: string; key: number; weight: number } {
  const parts = /^(?:(try|up|R|r|W)\()?([A-Z])(\d?)\)?(?:\*(\d))?$/.exec(word);
  if (parts === null) throw new RangeError(`no operation: ${word}`);
  const [, how = "W", name, key, weight] = parts;
  return { how, name: name!, key: Number(key || 1), weight: Number(weight ?? 1) };
}

export function permutations<T>(of: readonly T[]): readonly (readonly T[])[] {
  if (of.length <= 1) return [of];
  return of.flatMap((first, index) =>
    permutations([...of.slice(0, index), ...of.slice(index + 1)]).map((rest) => [first, ...rest]),
  );
}
