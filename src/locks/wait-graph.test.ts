import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LockStage, type StageLock, type StageStep } from "./lock-stage.testkit.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const programs = process.env.POUNDLOCK_ORACLE === "full" ? 20_000 : 1_000;

const lockSpec: fc.Arbitrary<StageLock> = fc.oneof(
  fc.constant<StageLock>({ kind: "fifo" }),
  fc.constant<StageLock>({ kind: "fifo", isKey: true }),
  fc.constant<StageLock>({ kind: "phase-fair" }),
  fc.constant<StageLock>({ kind: "readers-first" }),
  fc.record({
    kind: fc.constant("fifo" as const),
    permits: fc.integer({ min: 2, max: 3 }),
    overtakingMax: fc.integer({ min: 0, max: 2 }),
  }),
);

interface Choice {
  readonly what: number;
  readonly task: number;
  readonly lock: number;
  readonly isShared: boolean;
  readonly weight: number;
  readonly ends: "by signal" | "by time" | undefined;
}

const world = (
  isPatient: boolean,
): fc.Arbitrary<{ locks: readonly StageLock[]; choices: readonly Choice[] }> =>
  fc.record({
    locks: fc.array(lockSpec, { minLength: 1, maxLength: 4 }),
    choices: fc.array(
      fc.record({
        what: fc.integer({ min: 0, max: 19 }),
        task: fc.integer({ min: 0, max: 3 }),
        lock: fc.integer({ min: 0, max: 3 }),
        isShared: fc.boolean(),
        weight: fc.integer({ min: 1, max: 2 }),
        ends: isPatient
          ? fc.constant(undefined)
          : fc.constantFrom("by signal" as const, "by time" as const, undefined, undefined),
      }),
      { minLength: 2, maxLength: 22 },
    ),
  });

/** What the choice means here and now; undefined when the task can't do it. */
function stepOf(stage: LockStage, locks: readonly StageLock[], choice: Choice): StageStep | undefined {
  const { task, what } = choice;
  const lock = choice.lock % locks.length;
  const spec = locks[lock]!;
  if (stage.model.isWaiting(task)) return choice.ends === "by signal" ? { kind: "abort", task } : undefined;
  const held = stage.heldBy(task);
  if (what === 0 && choice.ends === "by time") return { kind: "time passes" };
  if (what < 5) {
    const hold = held[choice.lock % Math.max(1, held.length)];
    return hold === undefined ? undefined : { kind: "release", task, id: hold.id };
  }
  if (what === 5) {
    const reader = held.find(({ isShared }) => isShared);
    return reader === undefined ? undefined : { kind: "upgrade", task, id: reader.id };
  }
  const isShared = spec.kind !== "fifo" && choice.isShared;
  const weight = Math.min(choice.weight, spec.kind === "fifo" ? (spec.permits ?? 1) : 1);
  const asked = { task, lock, isShared, weight };
  if (what < 8) return { kind: "try", ...asked };
  return { kind: "acquire", ...asked, ...(choice.ends === undefined ? {} : { ends: choice.ends }) };
}

for (const isPatient of [true, false])
  test(`locks do what the model does, and tell of a deadlock in the step that makes it; ${isPatient ? "everybody patient" : "some give up"} (seed ${seed})`, async () => {
    let deadlocks = 0;
    let stalls = 0;
    const property = fc.asyncProperty(world(isPatient), async ({ locks, choices }) => {
      const stage = new LockStage(locks);
      for (const choice of choices) {
        const step = stepOf(stage, locks, choice);
        if (step !== undefined) await stage.do(step);
      }
      await stage.clear();
      deadlocks += stage.deadlocks;
      stalls += stage.stalls;
    });

    await fc.assert(property, { numRuns: programs / 2, seed });

    assert.ok(deadlocks > programs / 20, `only ${deadlocks} deadlocks in ${programs} programs`);
    if (!isPatient) assert.ok(stalls > programs / 400, `only ${stalls} stalls`);
  });
