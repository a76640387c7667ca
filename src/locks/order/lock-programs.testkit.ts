import type { LockClass, Mode } from "../kinds.js";

/** One lock of a class, in a world of programs. */
export interface ProgramLock {
  readonly lockClass: LockClass;
  readonly key: number;
}

export interface Acquire {
  readonly kind: "acquire";
  readonly lock: ProgramLock;
  readonly mode: Mode;
  readonly weight: number;
  readonly isTry: boolean;
}

/** Gives back what the acquisition at `index` of the program got; nothing if it got nothing. */
export interface Release {
  readonly kind: "release";
  readonly index: number;
}

export type Operation = Acquire | Release;

/** What a task does, without branches. Everything is released in the end. */
export interface Program {
  readonly name: string;
  readonly operations: readonly Operation[];
  /** Whether it goes on without what an attempt did not get; else it gives up all and ends. */
  readonly goesOnWithout: boolean;
}

export type ClassShape = Partial<Omit<LockClass, "id" | "name">>;

/** Finds classes and locks by name; those not declared are mutexes. */
export class World {
  readonly classes: Map<string, LockClass> = new Map();
  readonly #locks: Map<string, ProgramLock> = new Map();
  readonly #shapes: Readonly<Record<string, ClassShape>>;

  constructor(shapes: Readonly<Record<string, ClassShape>> = {}) {
    this.#shapes = shapes;
  }

  classOf(name: string): LockClass {
    const known = this.classes.get(name);
    if (known !== undefined) return known;
    const shape = this.#shapes[name] ?? {};
    const made: LockClass = {
      id: this.classes.size,
      name,
      kind: (shape.permits ?? 1) > 1 ? "semaphore" : "mutex",
      permits: 1,
      isReaderPreferring: false,
      level: undefined,
      compare: undefined,
      ...shape,
    };
    this.classes.set(name, made);
    return made;
  }

  lock(className: string, key: number): ProgramLock {
    const name = `${className}${key}`;
    const known = this.#locks.get(name);
    if (known !== undefined) return known;
    const made = { lockClass: this.classOf(className), key };
    this.#locks.set(name, made);
    return made;
  }

  get locks(): readonly ProgramLock[] {
    return [...this.#locks.values()];
  }

  /**
   * `A B -A r(C) try(D) S*2 A2`: acquire A, B, give back A, read C, try D, take two permits of S, take the lock 2 of class A (1 where none is
   * named). `R`, `r` and `W` stand for the modes; what is still held is given back in the end, the innermost first.
   */
  program(name: string, text: string): Program {
    const operations: Operation[] = [];
    for (const word of text.split(" ").filter((part) => part !== "")) {
      const released = /^-(\w+?)(\d?)$/.exec(word);
      const acquire = released === null ? this.#acquire(word) : undefined;
      if (acquire !== undefined) operations.push(acquire);
      else operations.push(releaseOf(operations, this.lock(released![1]!, Number(released![2] || 1))));
    }
    return { name, operations: withReleases(operations), goesOnWithout: false };
  }

  #acquire(word: string): Acquire {
    const parts = /^(?:(try|R|r|W)\()?(?:(R|r|W)\()?([A-Za-z]+?)(\d?)\)*(?:\*(\d))?$/.exec(word);
    if (parts === null) throw new RangeError(`no operation: ${word}`);
    const [, first, second, className, key, weight] = parts;
    const mode = [first, second].some((one) => one === "R" || one === "r") ? "shared" : "exclusive";
    const lock = this.lock(className!, Number(key || 1));
    return { kind: "acquire", lock, mode, weight: Number(weight ?? 1), isTry: first === "try" };
  }
}

export function withReleases(operations: readonly Operation[]): readonly Operation[] {
  const open = operations.flatMap((one, index) => (one.kind === "acquire" ? [index] : []));
  const released = new Set(operations.flatMap((one) => (one.kind === "release" ? [one.index] : [])));
  const rest = open.filter((index) => !released.has(index)).reverse();
  return [...operations, ...rest.map((index): Release => ({ kind: "release", index }))];
}

/** For a message. */
export function describeProgram({ name, operations }: Program): string {
  const words = operations.map((one) => {
    const acquire = one.kind === "acquire" ? one : (operations[one.index] as Acquire);
    const { lockClass, key } = acquire.lock;
    const lock = `${lockClass.name}${key}`;
    if (one.kind === "release") return `-${lock}`;
    const mode = acquire.mode === "exclusive" ? lock : `${lockClass.isReaderPreferring ? "R" : "r"}(${lock})`;
    return `${acquire.isTry ? `try(${mode})` : mode}${acquire.weight > 1 ? `*${acquire.weight}` : ""}`;
  });
  return `${name}: ${words.join(" ")}`;
}

function releaseOf(operations: readonly Operation[], lock: ProgramLock): Release {
  return {
    kind: "release",
    index: operations.findLastIndex((one) => one.kind === "acquire" && one.lock === lock),
  };
}
