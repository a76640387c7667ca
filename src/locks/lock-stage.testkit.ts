import assert from "node:assert/strict";
import { ManualClock, messageOf } from "../base/index.js";
import {
  type AcquireOptions,
  Gate,
  type Hold,
  type KeyedLock,
  LockDomain,
  type ReadWriteLock,
} from "./index.js";
import { LockModel, type ModelLockSpec, type ModelRequest } from "./lock-model.testkit.js";
import { turn } from "./turn.testkit.js";

export interface StageLock extends ModelLockSpec {
  /** One key of a keyed lock, which all such locks of a stage share. */
  readonly isKey?: boolean;
}

/** What one task does next; `id` is the acquisition's, given when it began. */
export type StageStep =
  | {
      readonly kind: "acquire" | "try";
      readonly task: number;
      readonly lock: number;
      readonly isShared?: boolean;
      readonly weight?: number;
      /** How the wait may end by itself. */
      readonly ends?: "by signal" | "by time";
    }
  | { readonly kind: "upgrade"; readonly task: number; readonly id: number }
  | { readonly kind: "release"; readonly task: number; readonly id: number }
  | { readonly kind: "abort"; readonly task: number }
  | { readonly kind: "time passes" };

const waitMs = 10;

type Outcome = "waiting" | "granted" | "LOCK_DEADLOCK" | "LOCK_SELF_DEADLOCK" | "LOCK_TIMEOUT" | "aborted";

/**
 * Real locks and the model of them side by side. Each step is done with both; after it every microtask has run, and both must be in the same
 * state: who holds what, who waits, who was refused. A wait must be refused as a deadlock in the very step in which it becomes one.
 */
export class LockStage {
  readonly model: LockModel;
  readonly domain: LockDomain;
  /** Steps that ended as a deadlock. */
  deadlocks = 0;
  /** Waits that hang only until somebody gives up. */
  stalls = 0;
  readonly #clock: ManualClock = new ManualClock(0);
  readonly #specs: readonly StageLock[];
  readonly #locks: readonly (Gate | ReadWriteLock | undefined)[];
  readonly #keyed: KeyedLock<number>;
  readonly #holds: Map<number, Hold> = new Map();
  readonly #outcomes: Map<number, Outcome> = new Map();
  readonly #aborts: Map<number, AbortController> = new Map();
  readonly #signalsOf: Map<number, readonly number[]> = new Map();
  readonly #history: StageStep[] = [];
  /** Who counts on overtaking learns only that it is over; all else is known in the step in which it happens. */
  readonly #isExact: boolean;
  #ids = 0;

  constructor(specs: readonly StageLock[]) {
    this.#specs = specs;
    this.#isExact = specs.every(({ overtakingMax = 0 }) => overtakingMax === 0);
    this.model = new LockModel(specs);
    this.domain = new LockDomain({
      clock: this.#clock,
      waitMs: Number.POSITIVE_INFINITY,
      reportAtExit: false,
      onFinding: "collect",
    });
    this.#keyed = this.domain.keyed<number>("keyed");
    this.#locks = specs.map((spec, index) => this.#make(spec, index));
  }

  /** What the task holds, in the order in which it was acquired. */
  heldBy(task: number): readonly ModelRequest[] {
    return this.model.heldBy(task);
  }

  isReady(step: StageStep): boolean {
    if (step.kind === "time passes") return true;
    return this.model.isWaiting(step.task) === (step.kind === "abort");
  }

  /** @returns the number of the acquisition, if it was one */
  async do(step: StageStep): Promise<number | undefined> {
    this.#history.push(step);
    try {
      await this.#do(step);
    } catch (error) {
      const steps = this.#history.map((one) => JSON.stringify(one)).join("\n");
      return assert.fail(`${messageOf(error)}\n${steps}\n${this.model}`);
    }
    return step.kind === "acquire" || step.kind === "try" ? this.#ids : undefined;
  }

  async #do(step: StageStep): Promise<void> {
    const stallsBefore = this.#stallsFound();
    if (step.kind === "acquire" || step.kind === "try" || step.kind === "upgrade") await this.#ask(step);
    else if (step.kind === "release") {
      this.#holds.get(step.id)!.release();
      this.model.release(step.id);
    } else if (step.kind === "abort") {
      // Also the signals of what it has by now: that stays granted.
      for (const id of this.#signalsOf.get(step.task) ?? [])
        this.#aborts.get(id)?.abort(new Error("aborted"));
      for (const { id, task } of this.model.waiters)
        if (task === step.task && this.#aborts.has(id)) this.model.giveUp(id);
    } else this.#timePasses();
    if (step.kind === "release" || step.kind === "abort" || step.kind === "time passes") await turn();
    this.#removeRefused();
    this.stalls += this.#stallsFound() - stallsBefore;
    this.#assertSame();
    this.#assertSafe();
  }

  /** Everybody who can releases everything, and those who hang until they give up do so, until nobody holds anything. */
  async clear(): Promise<void> {
    for (let before = ""; before !== String(this.model); ) {
      before = String(this.model);
      for (let hold = this.#releasable(); hold !== undefined; hold = this.#releasable())
        await this.do({ kind: "release", task: hold.task, id: hold.id });
      for (const { task } of this.model.waiters) await this.do({ kind: "abort", task });
      await this.do({ kind: "time passes" });
    }
    assert.deepEqual([this.model.holds, this.model.waiters], [[], []], `somebody is stranded`);
    assert.deepEqual(this.domain.report().locks, []);
    assert.equal(this.#keyed.size, 0);
  }

  #releasable(): ModelRequest | undefined {
    return this.model.holds.find(({ task }) => !this.model.isWaiting(task));
  }

  async #ask(step: Extract<StageStep, { kind: "acquire" | "try" | "upgrade" }>): Promise<void> {
    const id = (this.#ids += 1);
    const request = this.#requestOf(step, id);
    const holding = this.heldBy(step.task).map((hold) => this.#holds.get(hold.id)!);
    if (step.kind === "try") {
      const hold = this.#try(request, holding);
      if (hold !== undefined) this.#holds.set(id, hold);
      assert.equal(hold !== undefined, this.model.request(request, true));
      this.#outcomes.set(id, hold === undefined ? "aborted" : "granted");
      return;
    }
    const stallsBefore = this.#stallsFound();
    this.#outcomes.set(id, "waiting");
    const options = this.#optionsOf(step, id);
    const got = this.#acquire(request, { ...options, holding });
    void got.then(
      (hold) => {
        this.#outcomes.set(id, "granted");
        if (hold !== undefined) this.#holds.set(id, hold);
      },
      (error: { readonly code?: Outcome }) => this.#outcomes.set(id, error.code ?? "aborted"),
    );
    await turn();
    this.#judge(request, this.#stallsFound() > stallsBefore);
  }

  /** Whether the newest was refused exactly when nothing can help it. */
  #judge(request: ModelRequest, isStalled: boolean): void {
    const { id } = request;
    const isGranted = this.model.request(request, false);
    const isCertain = !isGranted && !request.isImpatient && !this.model.canBeServed(id, true);
    const hangs = !isGranted && !this.model.canBeServed(id, false);
    const outcome = this.#outcomes.get(id);
    const isRefused = outcome === "LOCK_DEADLOCK" || outcome === "LOCK_SELF_DEADLOCK";
    const holdsItself = this.heldBy(request.task).some(({ lock }) => lock === request.lock);
    // What the caller itself is in the way of is refused however patient it is.
    const isExcused = isRefused ? hangs && holdsItself : !this.#isExact;
    if (!isExcused) {
      assert.equal(isRefused, isCertain, `${outcome}, should ${isCertain ? "" : "not "}be a deadlock`);
      const message = `stall`;
      assert.ok(!isStalled || (hangs && !isCertain), message);
      // Who holds nothing only stands behind those who hang, of whom it was told before.
      if (this.heldBy(request.task).length > 0) assert.equal(isStalled, hangs && !isCertain, message);
    }
    if (isRefused) {
      this.deadlocks += 1;
      this.model.giveUp(id);
    }
  }

  /** Those who learnt only now that they wait for ever. */
  #removeRefused(): void {
    for (const { id } of this.model.waiters) {
      if (this.#outcomes.get(id) !== "LOCK_DEADLOCK") continue;
      assert.ok(!this.#isExact && !this.model.canBeServed(id, true), `${id}`);
      this.model.giveUp(id);
    }
  }

  #timePasses(): void {
    this.#clock.advance(waitMs);
    const timed = this.model.waiters.filter(({ id, isImpatient }) => isImpatient && !this.#aborts.has(id));
    for (const { id } of [...timed].sort((one, other) => one.id - other.id))
      if (this.model.waiters.some((waiter) => waiter.id === id)) this.model.giveUp(id);
  }

  /** The same holds, the same waiters; nobody in both; nobody who waits for ever. */
  #assertSame(): void {
    const waiting = new Set(this.model.waiters.map(({ id }) => id));
    const granted = new Set(this.model.holds.map(({ id }) => id));
    for (const [id, outcome] of this.#outcomes) {
      const isHeld = outcome === "granted" && this.#holds.get(id)?.isReleased === false;
      assert.equal(outcome === "waiting", waiting.has(id), `${id} waits?`);
      assert.equal(isHeld, granted.has(id), `${id} holds?`);
    }
    for (const { id, isImpatient } of this.model.waiters)
      assert.ok(
        isImpatient || !this.#isExact || this.model.canBeServed(id, true),
        `nobody told ${id} that it waits for ever`,
      );
    this.#locks.forEach((lock, index) => {
      const waiters = this.model.waiters.filter((waiter) => waiter.lock === index).length;
      if (lock === undefined) assert.equal(this.#keyed.isLocked(index), this.model.usedOf(index) > 0);
      else {
        assert.equal(lock.waiting, waiters);
        assert.equal(lock.isLocked, this.model.usedOf(index) > 0);
      }
    });
  }

  /** What must hold whatever the model says: exclusion, permits, and that a lock that is free has nobody in line. */
  #assertSafe(): void {
    this.#specs.forEach((spec, index) => {
      const held = [...this.#holds.values()].filter(
        ({ lock, isReleased }) => !isReleased && lock === this.#nameOf(index),
      );
      const writers = held.filter(({ mode }) => mode === "exclusive").length;
      if (spec.kind === "fifo")
        assert.ok(held.reduce((sum, { weight }) => sum + weight, 0) <= (spec.permits ?? 1));
      else assert.ok(writers === 0 || held.length === 1);
      const lock = this.#locks[index];
      if (held.length === 0 && lock !== undefined) assert.equal(lock.waiting, 0, `stranded`);
    });
  }

  #nameOf(index: number): string {
    return this.#locks[index]?.name ?? `keyed[${index}]`;
  }

  #stallsFound(): number {
    return this.domain.findings.filter(({ kind }) => kind === "stall").length;
  }

  #requestOf(step: Extract<StageStep, { kind: "acquire" | "try" | "upgrade" }>, id: number): ModelRequest {
    if (step.kind === "upgrade") {
      const { lock, weight } = this.model.holds.find((hold) => hold.id === step.id)!;
      return { id, task: step.task, lock, isShared: false, weight, isImpatient: false, upgrades: step.id };
    }
    const { task, lock, isShared = false, weight = 1, ends } = step;
    return { id, task, lock, isShared, weight, isImpatient: ends !== undefined };
  }

  #optionsOf(step: Extract<StageStep, { kind: "acquire" | "try" | "upgrade" }>, id: number): AcquireOptions {
    if (step.kind === "upgrade" || step.ends === undefined) return {};
    if (step.ends === "by time") return { waitMs };
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    this.#signalsOf.set(step.task, [...(this.#signalsOf.get(step.task) ?? []), id]);
    return { signal: abort.signal };
  }

  #make(
    { kind, permits = 1, overtakingMax = 0, isKey }: StageLock,
    index: number,
  ): Gate | ReadWriteLock | undefined {
    const name = `lock ${index}`;
    if (isKey === true) return undefined;
    if (kind === "phase-fair") return this.domain.readWriteLock(name);
    if (kind === "readers-first") return this.domain.readWriteLock(name, { prefer: "readers" });
    return permits === 1 && overtakingMax === 0
      ? this.domain.mutex(name)
      : this.domain.semaphore(name, permits, { overtakingMax });
  }

  #try({ lock, isShared, weight }: ModelRequest, holding: readonly Hold[]): Hold | undefined {
    const gate = this.#gateOf(lock, isShared);
    if (gate === undefined) return this.#keyed.tryAcquire(lock);
    return gate.tryAcquire(this.#specs[lock]!.kind === "fifo" ? { holding, weight } : { holding });
  }

  async #acquire(request: ModelRequest, options: AcquireOptions): Promise<Hold | undefined> {
    const { lock, isShared, weight, upgrades } = request;
    if (upgrades !== undefined) {
      await (this.#locks[lock] as ReadWriteLock).upgrade(this.#holds.get(upgrades)!, options);
      return undefined;
    }
    const gate = this.#gateOf(lock, isShared);
    if (gate === undefined) return this.#keyed.acquire(lock, options);
    return gate.acquire(this.#specs[lock]!.kind === "fifo" ? { ...options, weight } : options);
  }

  #gateOf(lock: number, isShared: boolean): Gate | undefined {
    const found = this.#locks[lock];
    if (found === undefined || found instanceof Gate) return found;
    return isShared ? found.read : found.write;
  }
}
