import assert from "node:assert/strict";
import { test } from "node:test";
import type { StageLock } from "./lock-stage.testkit.js";
import { inAllOrders, type Schedulable } from "./scheduler.testkit.js";

const mutex: StageLock = { kind: "fifo" };
const fair: StageLock = { kind: "phase-fair" };
const readers: StageLock = { kind: "readers-first" };
const two: StageLock = { kind: "fifo", permits: 2 };
const barging: StageLock = { kind: "fifo", permits: 2, overtakingMax: 1 };
const key: StageLock = { kind: "fifo", isKey: true };

const programs: readonly (Schedulable & { readonly about: string })[] = [
  {
    about: "a mutex, given up by signal and by time",
    locks: [mutex],
    tasks: ["W0 -1", "W0s -1", "W0t"],
    events: "abort1 time",
  },
  { about: "two mutexes in opposite orders", locks: [mutex, mutex], tasks: ["W0 W1 -2 -1", "W1 W0 -1 -2"] },
  {
    about: "three mutexes in a ring",
    locks: [mutex, mutex, mutex],
    tasks: ["W0 W1 -1", "W1 W2 -1", "W2 W0 -1"],
  },
  {
    about: "two keys, tried and taken",
    locks: [key, key],
    tasks: ["W0 try:W1 -1 -2", "W1 W0s -1"],
    events: "abort1",
  },
  {
    about: "phases: readers, a writer that gives up, a writer",
    locks: [fair],
    tasks: ["r0 r0 -1", "W0s", "r0 -1"],
    events: "abort1",
  },
  { about: "phases: two readers that upgrade", locks: [fair], tasks: ["r0 up1 -1", "r0 up1 -1", "W0 -1"] },
  {
    about: "phases: a reader between two writers",
    locks: [fair],
    tasks: ["W0t -1", "r0", "W0 -1", "r0"],
    events: "time",
  },
  {
    about: "readers first: readers, a writer, an upgrade",
    locks: [readers],
    tasks: ["r0 up1 -1", "r0 try:r0 -1", "W0s -1"],
    events: "abort2",
  },
  {
    about: "two permits, one heavy",
    locks: [two],
    tasks: ["1*0 1*0 -1", "2*0t", "1*0 -1"],
    events: "time",
  },
  { about: "two permits and a mutex", locks: [two, mutex], tasks: ["1*0 W1 -1", "W1 2*0 -1", "1*0 -1"] },
  { about: "overtaking, once", locks: [barging], tasks: ["1*0 -1", "2*0 -1", "1*0 -1", "1*0"] },
  {
    about: "a reader's lock below a mutex",
    locks: [mutex, fair],
    tasks: ["r1 W0 -2", "W0 r1 -1", "W1s"],
    events: "abort2",
  },
];

const large: typeof programs = [
  {
    about: "all the same, longer",
    locks: [fair, two],
    tasks: ["r0 1*1 up1 -2", "1*1 r0s -1 W0", "W0t 2*1 -1 -2"],
    events: "abort1 time",
  },
  {
    about: "three tasks of four steps",
    locks: [mutex, fair],
    tasks: ["W0 r1 -1 -2", "r1 W0 -2 up1", "W1 -1 W0 r1"],
  },
  {
    about: "three permits, two heavy",
    locks: [{ kind: "fifo", permits: 3, overtakingMax: 1 }, mutex],
    tasks: ["2*0 W1 -1 -2", "1*0 1*0s -1 W1", "W1 2*0t -1 -2"],
    events: "abort1 time",
  },
];

for (const { about, ...program } of process.env.POUNDLOCK_ORACLE === "full"
  ? [...programs, ...large]
  : programs)
  test(`in every order of the steps locks do what the model does: ${about}`, async (t) => {
    const orders = await inAllOrders(program);

    t.diagnostic(`${orders} orders`);
    assert.ok(orders > 5);
  });
