import type { OrderFinding } from "./index.js";
import { canDeadlock } from "./interleavings.testkit.js";
import {
  type Acquire,
  type Operation,
  type Program,
  type ProgramLock,
  type World,
  withReleases,
} from "./lock-programs.testkit.js";
import type { RandomPrograms } from "./random-programs.testkit.js";

/**
 * Whether the tasks that a finding names can deadlock: each edge's program once, for locks with several permits as many more as the finding
 * says that it takes, a writer for each fair lock that is read, and each task with any lock of a class in place of those that it happened to have.
 */
export function isFeasible(finding: OrderFinding, { programs, world, keys }: RandomPrograms): boolean {
  const named = finding.edges.map(({ task }) => programs.find(({ name }) => name === task)!);
  const least = finding.kind === "same-class" ? 2 * named.length : named.length;
  const most = Math.max(least, finding.needs ?? 0);
  const writers = writersOf(programs);
  const many = Object.keys(keys).filter((name) => keys[name]! > 1);
  const within = many.filter((name) => finding.cycle.some((lock) => lock.name === name));
  const beside = many.filter((name) => !within.includes(name));
  // Those who only use permits up are stuck in cycles of their own, in which what others hold beside may matter.
  const ways = function* (tasks: readonly Program[]): Iterable<readonly Program[]> {
    yield* renamings(tasks, { world, within, beside });
    if (tasks.length > named.length && beside.length > 0)
      yield* renamings(tasks, { world, within: many, beside: [] });
  };
  for (let size = least; size <= most; size += 1)
    for (const more of combinations(programs, size - named.length))
      for (const tasks of ways([...named, ...more]))
        if (canDeadlock([...tasks, ...writers]) !== false) return true;
  return false;
}

/** Readers of a fair lock wait for one another only if somebody writes, and an attempt fails only if somebody has the lock. */
function writersOf(programs: readonly Program[]): readonly Program[] {
  const locks = new Set<ProgramLock>();
  for (const { operations, goesOnWithout } of programs)
    for (const one of operations) {
      if (one.kind === "release") continue;
      const isFairRead = one.mode === "shared" && !one.lock.lockClass.isReaderPreferring;
      if (isFairRead || (one.isTry && goesOnWithout)) locks.add(one.lock);
    }
  return [...locks].map((lock) => ({
    name: `writer of ${lock.lockClass.name}${lock.key}`,
    operations: withReleases([
      { kind: "acquire", lock, mode: "exclusive", weight: lock.lockClass.permits, isTry: false },
    ]),
    goesOnWithout: false,
  }));
}

/** All ways to choose `count` of them, the same one as often as wanted. */
function combinations<T>(of: readonly T[], count: number): readonly (readonly T[])[] {
  if (count <= 0) return [[]];
  return of.flatMap((one, index) => combinations(of.slice(index), count - 1).map((rest) => [one, ...rest]));
}

interface Renaming {
  readonly world: World;
  /** Classes of several locks that the cycle goes through: whether two tasks mean the same lock decides everything. */
  readonly within: readonly string[];
  /** Those that tasks only hold beside: at worst each task has its own. */
  readonly beside: readonly string[];
}

function* renamings(tasks: readonly Program[], renaming: Renaming): Iterable<readonly Program[]> {
  yield tasks;
  const { world, beside } = renaming;
  const apart = tasks.map((task, index) =>
    beside.reduce((one, name) => rename(one, name, { world, change: (key) => key + 10 * (index + 1) }), task),
  );
  if (beside.length > 0 || renaming.within.length > 0) yield* choices(apart, renaming);
}

function* choices(tasks: readonly Program[], renaming: Renaming): Iterable<readonly Program[]> {
  const [first, ...rest] = tasks;
  if (first === undefined) yield [];
  else
    for (const renamed of renamingsOf(first, renaming))
      for (const others of choices(rest, renaming)) yield [renamed, ...others];
}

const swap = (key: number): number => 3 - key;
const shift = (key: number): number => key + 1;

/** The program itself first. Where a class has an order among its locks, the renamed ones keep it. */
function renamingsOf(program: Program, { world, within }: Renaming): readonly Program[] {
  let found: readonly Program[] = [program];
  for (const name of within) {
    const change = world.classOf(name).compare === undefined ? swap : shift;
    found = [...found, ...found.map((one) => rename(one, name, { world, change }))];
  }
  return found;
}

function rename(
  program: Program,
  className: string,
  { world, change }: { readonly world: World; readonly change: (key: number) => number },
): Program {
  const operations = program.operations.map((one): Operation => {
    if (one.kind === "release" || one.lock.lockClass.name !== className) return one;
    return { ...one, lock: world.lock(className, change(one.lock.key)) } satisfies Acquire;
  });
  return { ...program, name: `${program.name}'`, operations };
}
