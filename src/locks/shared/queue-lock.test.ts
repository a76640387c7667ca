import assert from "node:assert/strict";
import { test } from "node:test";
import { accept, enter, entered, giveUp, leave, noPlace, repair, tryEnter } from "./queue-lock.js";
import { explore, type Program, type SimulatedThread, type State } from "./schedules.testkit.js";
import { isLater, isPast, kindOf, ownerKind, packOwner, SharedMemory, word } from "./words.js";

const once: Program = (thread) => pass(thread, thread.id);
const twice: Program = (thread) => {
  pass(thread, thread.id);
  pass(thread, thread.id);
};
/** Waits only if it did not succeed in giving up. */
const impatient: Program = (thread) => {
  const position = enter(thread, thread.id);
  if (position !== entered) {
    if (giveUp(thread, thread.id, position)) return;
    assert.equal(accept(thread, thread.id, position), true, "granted, yet not to be accepted");
  }
  thread.inside();
  leave(thread, thread.id);
};
const trying: Program = (thread) => {
  if (!tryEnter(thread, thread.id)) return;
  thread.inside();
  leave(thread, thread.id);
};

function pass(thread: SimulatedThread, id: number): void {
  thread.mark("come");
  const position = enter(thread, id);
  assert.notEqual(position, noPlace, "the queue is full");
  thread.mark("queued");
  if (position !== entered) assert.ok(isLater(thread.load(word.tail), position), "the tail was left behind");
  if (position !== entered) while (!accept(thread, id, position)) thread.waitOn(position);
  thread.inside();
  assert.equal(leave(thread, id), true, "not the holder");
}

/** Nobody is left behind, and the mutex is free and empty. */
function isAtRest(state: State): void {
  for (const [id, isFinished] of state.finished.entries()) {
    assert.ok(isFinished || state.dead[id], `thread ${id} is stranded after ${state.history.join(", ")}`);
  }
  assert.equal(
    kindOf(state.words[word.owner]!),
    ownerKind.free,
    `not free after ${state.history.join(", ")}`,
  );
  for (const place of state.places) assert.equal(place & 3n, 0n, "a place is still in use");
}

/** Who had queued before another came is inside before the other. */
function isInOrder({ history }: State): void {
  const ids = ["0", "1", "2"];
  for (const a of ids) {
    for (const b of ids) {
      const queued = history.indexOf(`queued ${a}`);
      const came = history.indexOf(`come ${b}`);
      if (a === b || queued < 0 || came < 0 || queued > came) continue;
      const isServedFirst = history.indexOf(`in ${a}`) < history.indexOf(`in ${b}`);
      assert.ok(isServedFirst, `${b} overtook ${a}: ${history.join(", ")}`);
    }
  }
}

test("enter() and leave() exclude, serve in order and strand nobody, in every schedule of two threads", () => {
  const count = explore({
    programs: [once, once],
    placeCount: 4,
    atEnd: (state) => {
      isAtRest(state);
      isInOrder(state);
    },
  });

  assert.ok(count > 1_000, `only ${count} states`);
});

test("enter() and leave() do so for three threads, in every schedule with two preemptions", () => {
  const count = explore({
    programs: [once, once, once],
    placeCount: 4,
    preemptionsMax: 2,
    atEnd: (state) => {
      isAtRest(state);
      isInOrder(state);
    },
  });

  assert.ok(count > 10_000, `only ${count} states`);
});

test("enter() and leave() go on past the highest position, 2^30 - 1, in every schedule of two threads", () => {
  for (const startAt of [2 ** 30 - 1, 2 ** 30 - 2, 2 ** 30 - 3]) {
    const count = explore({ programs: [once, once], placeCount: 4, startAt, atEnd: isAtRest });

    assert.ok(count > 1_000, `only ${count} states`);
  }
});

test("leave() can't free the mutex under one who comes while the queue turns out to be empty, with four preemptions", () => {
  const leaving: Program = (thread) => leave(thread, thread.id);
  for (const comer of [once, impatient]) {
    const count = explore({
      programs: [leaving, comer],
      placeCount: 4,
      startOwner: packOwner(0, ownerKind.wanted),
      preemptionsMax: 4,
      atEnd: isAtRest,
    });

    assert.ok(count > 200, `only ${count} states`);
  }
});

test("accept() moves the head on, so that a hand-over does not walk through those who were served", () => {
  const memory = new SharedMemory(SharedMemory.bufferFor(4));
  assert.equal(enter(memory, 7), entered);
  const waiters = [enter(memory, 8), enter(memory, 9)];

  for (const [n, position] of waiters.entries()) {
    leave(memory, 7 + n);
    accept(memory, 8 + n, position);
    assert.equal(memory.load(word.head), position + 1);
  }
});

test("isLater() and isPast() go round with their numbers", () => {
  const memory = new SharedMemory(SharedMemory.bufferFor(4));

  assert.deepEqual([isLater(0, 2 ** 30 - 1), isLater(2 ** 30 - 1, 0), isLater(5, 5)], [true, false, false]);
  assert.deepEqual(
    [isPast(memory, 0, 2 ** 28 - 1), isPast(memory, 2 ** 28 - 1, 0), isPast(memory, 5, 5)],
    [true, false, false],
  );
});

test("giveUp() and tryEnter() strand nobody and lose nothing, in every schedule with two preemptions", () => {
  for (const programs of [
    [once, impatient, once],
    [impatient, impatient, once],
    [twice, impatient],
    [twice, trying, impatient],
  ]) {
    const count = explore({ programs, placeCount: 4, preemptionsMax: 2, atEnd: isAtRest });

    assert.ok(count > 1_000, `only ${count} states`);
  }
});

test("repair() frees what a dead thread held or waited for, whichever step was its last", () => {
  const undertaker: Program = (thread) => repair(thread, 0);
  for (const victim of [once, impatient]) {
    const count = explore({
      programs: [victim, once, undertaker],
      placeCount: 4,
      mortal: [0],
      undertaker: 2,
      preemptionsMax: 2,
      atEnd: (state) => {
        if (state.dead[0]) isAtRest(state);
        else isAtRest({ ...state, finished: [state.finished[0]!, state.finished[1]!, true] });
        const hasDiedInside = state.history.includes("died inside 0");
        if (hasDiedInside) assert.equal(state.words[word.abandoned], 1, "nobody will be told");
        if (!state.history.includes("in 0") && !state.dead[0]) assert.equal(state.words[word.abandoned], 0);
      },
    });

    assert.ok(count > 1_000, `only ${count} states`);
  }
});
