import { LockStage, type StageLock, type StageStep } from "./lock-stage.testkit.js";

/**
 * What tasks do, one word for each step, with locks by their number. Task 0 is the first.
 *
 *     W0   r0   2*0     take lock 0: as a writer (or a mutex), as a reader, with weight 2
 *     W0s  r0t          the same, with a signal or a limit
 *     try:r0            the same without waiting
 *     -1   up1          give back what the task's first word took; make it the writer's
 *
 * and in a row of events: `abort0` aborts the signals of task 0, `time` ends the limits of all who wait.
 */
export interface Schedulable {
  readonly locks: readonly StageLock[];
  readonly tasks: readonly string[];
  readonly events?: string;
}

/** Steps that may be taken in any order, as long as each row keeps its own. */
class Row {
  readonly #words: readonly string[];
  readonly #task: number | undefined;
  readonly #ids: (number | undefined)[] = [];
  #next = 0;

  /** @param task undefined for events */
  constructor(words: string, task: number | undefined) {
    this.#words = words.split(" ").filter((word) => word !== "");
    this.#task = task;
  }

  isReady(stage: LockStage): boolean {
    return (
      this.#next < this.#words.length && (this.#task === undefined || !stage.model.isWaiting(this.#task))
    );
  }

  async step(stage: LockStage): Promise<void> {
    const word = this.#words[this.#next]!;
    this.#next += 1;
    const step = this.#task === undefined ? eventOf(word) : this.#stepOf(word, this.#task, stage);
    const id = step === undefined ? undefined : await stage.do(step);
    this.#ids.push(id);
  }

  /** Nothing to do when what is meant was never got or was given back before. */
  #stepOf(word: string, task: number, stage: LockStage): StageStep | undefined {
    const back = /^(-|up)(\d)$/.exec(word);
    if (back === null) return { ...acquisitionOf(word), task };
    const id = this.#ids[Number(back[2]) - 1];
    const hold = stage.heldBy(task).find((one) => one.id === id);
    if (hold === undefined || (back[1] === "up" && !hold.isShared)) return undefined;
    return { kind: back[1] === "up" ? "upgrade" : "release", task, id: hold.id };
  }
}

/**
 * Takes the rows' steps in every order there is, each time with new locks and from the start. The stage compares after each step.
 *
 * @returns how many orders there were
 */
export async function inAllOrders({ locks, tasks, events = "" }: Schedulable): Promise<number> {
  const path: { choice: number; readonly of: number }[] = [];
  for (let count = 1; ; count += 1) {
    const stage = new LockStage(locks);
    const rows = [...tasks.map((words, task) => new Row(words, task)), new Row(events, undefined)];
    let depth = 0;
    for (let ready = rowsReady(); ready.length > 0; ready = rowsReady()) {
      path[depth] ??= { choice: 0, of: ready.length };
      await ready[path[depth]!.choice]!.step(stage);
      depth += 1;
    }
    await stage.clear();
    while (path.length > 0 && path.at(-1)!.choice + 1 === path.at(-1)!.of) path.pop();
    if (path.length === 0) return count;
    path.at(-1)!.choice += 1;

    function rowsReady(): readonly Row[] {
      return rows.filter((row) => row.isReady(stage));
    }
  }
}

function eventOf(word: string): StageStep {
  if (word === "time") return { kind: "time passes" };
  return { kind: "abort", task: Number(word.slice("abort".length)) };
}

function acquisitionOf(word: string): Omit<Extract<StageStep, { kind: "acquire" | "try" }>, "task"> {
  const parts = /^(try:)?(W|r|\d\*)(\d)([st])?$/.exec(word);
  if (parts === null) throw new RangeError(`no step: ${word}`);
  const [, isTry, how, lock, ends] = parts;
  return {
    kind: isTry === undefined ? "acquire" : "try",
    lock: Number(lock),
    isShared: how === "r",
    weight: how === "r" || how === "W" ? 1 : Number.parseInt(how!, 10),
    ...(ends === undefined ? {} : { ends: ends === "s" ? "by signal" : "by time" }),
  };
}
