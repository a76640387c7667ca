import assert from "node:assert/strict";
import test from "node:test";
import { isFeasible } from "./feasible.testkit.js";
import { type OrderFinding, OrderGraph } from "./index.js";
import { canDeadlock } from "./interleavings.testkit.js";
import { type Acquire, describeProgram, type Program, type ProgramLock } from "./lock-programs.testkit.js";
import { type RandomPrograms, randomFrom, randomPrograms } from "./random-programs.testkit.js";
import { runAlone } from "./run-alone.testkit.js";

// The graph sees each program run alone, once. The oracle looks at every interleaving of them. No deadlock may be missed, and what is reported must
// be able to happen, except in these classes, where it is reported on purpose:
//  - against a declared order: keys that are taken descending are reported though nobody is known to take them ascending;
//  - several permits in one hand: a lock is taken to run out of permits whatever the sizes in which they are held;
//  - some of several permits given back: that a task once had more of them than it still holds at its place in the cycle, and so could not
//    have come there past the others, is not seen in what it holds;
//  - several permits and several locks of a class in one cycle: the choices of locks for that many tasks are too many to look at here.
// What "can happen" means takes in tasks that were not in the run: the same code more than once at a time, a writer for each fair lock that is
// read, other locks of the same class in place of those that were seen (in the class's own order, if it has one), and for a lock with
// several permits as many tasks as the finding says.
const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
const count = process.env.POUNDLOCK_ORACLE === "full" ? 20_000 : 1_000;

test(`OrderGraph misses no deadlock and raises no false alarm in ${count} random sets of programs (seed ${seed})`, (context) => {
  const counted = { deadlocks: 0, findings: 0, gated: 0, unchecked: 0, unknown: 0 };
  for (let round = 0; round < count; round += 1) {
    const random = randomPrograms(randomFrom(seed + round));
    const findings = learnt(random);
    const about = (): string =>
      [
        `POUNDLOCK_SEED=${seed + round}`,
        ...shown(random),
        ...findings.map((one) => `${one.severity}: ${one.message()}`),
      ].join("\n");

    const reported = findings.filter(({ severity }) => severity !== "gated");
    const answer = canDeadlock(tasksOf(random, () => true));
    if (answer === "unknown") counted.unknown += 1;
    if (answer === true) {
      counted.deadlocks += 1;
      assert.ok(reported.length > 0, `missed\n${about()}`);
    }
    if (
      random.timed.includes(true) &&
      canDeadlock(tasksOf(random, (index) => !random.timed[index]!)) === true
    )
      assert.ok(
        reported.some(({ severity }) => severity !== "stall"),
        `called a stall\n${about()}`,
      );
    counted.gated += findings.length - reported.length;
    for (const finding of reported) {
      counted.findings += 1;
      if (isReportedAnyway(finding, random)) counted.unchecked += 1;
      else assert.ok(isFeasible(finding, random), `false alarm: ${finding.message()}\n${about()}`);
    }
  }
  context.diagnostic(JSON.stringify(counted));
  assert.ok(counted.deadlocks > count / 10, "too few deadlocks to say anything");
  assert.ok(counted.unknown < count / 100, "too many programs were too large");
});

function learnt({ programs, timed, keys, world }: RandomPrograms): readonly OrderFinding[] {
  const graph = new OrderGraph();
  for (const [index, program] of programs.entries()) {
    runAlone(graph, program, timed[index]);
    for (const [name, locks] of Object.entries(keys)) if (locks > 1) graph.sawMany(world.classOf(name));
  }
  return graph.findings;
}

function tasksOf(
  { programs, copies }: RandomPrograms,
  isWanted: (index: number) => boolean,
): readonly Program[] {
  return programs.flatMap((program, index) =>
    isWanted(index) ? Array.from({ length: copies[index]! }, () => program) : [],
  );
}

function isReportedAnyway(
  { kind, cycle, needs, edges }: OrderFinding,
  { programs, world, keys }: RandomPrograms,
): boolean {
  if (needs !== undefined && cycle.some(({ name }) => keys[name]! > 1)) return true;
  if (kind === "same-class" && world.classOf(cycle[0]!.name).compare !== undefined) return true;
  const isMeant = ({ name }: Program): boolean =>
    needs !== undefined || edges.some(({ task }) => task === name);
  if (programs.some((program) => isMeant(program) && givesBackSome(program))) return true;
  return cycle.some(
    ({ name }) =>
      world.classOf(name).permits > 1 && programs.some((program) => permitsInOneHand(program, name) > 1),
  );
}

/** How many permits of the class the program has or wants at most. */
function permitsInOneHand({ operations }: Program, name: string): number {
  let most = 0;
  let held = 0;
  for (const operation of operations) {
    const acquire = operation.kind === "acquire" ? operation : operations[operation.index]!;
    if (acquire.kind !== "acquire" || acquire.lock.lockClass.name !== name) continue;
    held += operation.kind === "acquire" ? acquire.weight : -acquire.weight;
    most = Math.max(most, held);
  }
  return most;
}

/** Whether the program ever goes on with some of the permits of a lock after it gave back others. */
function givesBackSome({ operations }: Program): boolean {
  let held: readonly number[] = [];
  const lockAt = (index: number): ProgramLock => (operations[index] as Acquire).lock;
  const isRelevant = (lock: ProgramLock, at: number): boolean =>
    lock.lockClass.permits > 1 &&
    held.some((index) => lockAt(index) === lock) &&
    operations.slice(at + 1).some((one) => one.kind === "acquire");
  for (const [at, operation] of operations.entries())
    if (operation.kind === "acquire") held = [...held, at];
    else {
      held = held.filter((index) => index !== operation.index);
      if (isRelevant(lockAt(operation.index), at)) return true;
    }
  return false;
}

function shown({ programs, copies, timed, world }: RandomPrograms): readonly string[] {
  const classes = [...world.classes.values()].map(
    ({ name, kind, permits, isReaderPreferring, compare }) =>
      `${name}: ${kind}, ${permits} permits${isReaderPreferring ? ", readers first" : ""}${compare === undefined ? "" : ", ascending"}`,
  );
  return [
    ...classes,
    ...programs.map(
      (program, index) =>
        `${copies[index]} × ${describeProgram(program)}${timed[index] ? " (timed)" : ""}${program.goesOnWithout ? " (goes on without)" : ""}`,
    ),
  ];
}
