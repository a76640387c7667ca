import type { Mode } from "../kinds.js";
import {
  type Acquire,
  type ClassShape,
  type Operation,
  type Program,
  World,
  withReleases,
} from "./lock-programs.testkit.js";

/** Mulberry32: a small generator whose whole state is its seed. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

export interface RandomPrograms {
  readonly programs: readonly Program[];
  /** How often each program runs at once. */
  readonly copies: readonly number[];
  /** Which programs give up waiting by themselves. */
  readonly timed: readonly boolean[];
  /** Locks of each class, by its name. */
  readonly keys: Readonly<Record<string, number>>;
  readonly world: World;
}

type Random = (below: number) => number;

interface Style {
  readonly isNested: boolean;
  readonly mayRepeatClass: boolean;
  readonly hasTries: boolean;
  readonly hasWeights: boolean;
  readonly goesOnWithout: boolean;
}

/** Two or three programs over two to four classes of locks. */
export function randomPrograms(random: Random): RandomPrograms {
  const shapes: Record<string, ClassShape> = {};
  const keys: Record<string, number> = {};
  for (const name of ["A", "B", "C", "D"].slice(0, 2 + random(3))) {
    const isKeyed = random(8) === 0;
    keys[name] = isKeyed ? 2 : 1;
    shapes[name] = shapeOf(random, isKeyed);
  }
  const world = new World(shapes);
  const style: Style = {
    isNested: random(2) === 0,
    mayRepeatClass: random(4) === 0,
    hasTries: random(4) === 0,
    hasWeights: random(4) === 0,
    goesOnWithout: random(2) === 0,
  };
  const hasTimed = random(5) === 0;
  const programs = Array.from({ length: 2 + random(2) }, (_, index) =>
    randomProgram(random, `task ${index + 1}`, { world, keys, style }),
  );
  return {
    programs,
    copies: programs.map(() => (random(4) === 0 ? 2 : 1)),
    timed: programs.map(() => hasTimed && random(2) === 0),
    keys,
    world,
  };
}

function shapeOf(random: Random, isKeyed: boolean): ClassShape {
  const compare =
    isKeyed && random(3) > 0
      ? (held: unknown, wanted: unknown): number => Number(held) - Number(wanted)
      : undefined;
  const kind = random(8);
  if (kind < 3) return { compare };
  if (kind === 3) return { kind: "read-write", compare };
  if (kind < 6) return { kind: "read-write", isReaderPreferring: true, compare };
  return { kind: "semaphore", permits: 1 + random(3), compare };
}

function randomProgram(
  random: Random,
  name: string,
  given: { readonly world: World; readonly keys: Readonly<Record<string, number>>; readonly style: Style },
): Program {
  const operations: Operation[] = [];
  const held: number[] = [];
  const taken = new Set<string>();
  for (let left = 2 + random(3); left > 0; ) {
    if (held.length > 0 && random(4) === 0) {
      const index = given.style.isNested ? held.length - 1 : random(held.length);
      operations.push({ kind: "release", index: held.splice(index, 1)[0]! });
      continue;
    }
    left -= 1;
    const acquire = randomAcquire(random, given);
    if (!given.style.mayRepeatClass && taken.has(acquire.lock.lockClass.name)) continue;
    taken.add(acquire.lock.lockClass.name);
    held.push(operations.length);
    operations.push(acquire);
  }
  return { name, operations: withReleases(operations), goesOnWithout: given.style.goesOnWithout };
}

function randomAcquire(
  random: Random,
  {
    world,
    keys,
    style,
  }: { readonly world: World; readonly keys: Readonly<Record<string, number>>; readonly style: Style },
): Acquire {
  const names = Object.keys(keys);
  const name = names[random(names.length)]!;
  const lock = world.lock(name, 1 + random(keys[name]!));
  const { kind, permits } = lock.lockClass;
  const mode: Mode = kind === "read-write" && random(3) > 0 ? "shared" : "exclusive";
  return {
    kind: "acquire",
    lock,
    mode,
    weight: style.hasWeights ? 1 + random(permits) : 1,
    isTry: style.hasTries && random(4) === 0,
  };
}
