import type { Clock } from "../../base/index.js";
import type { MetricsSnapshot } from "../snapshot.js";
import { eachPoint, type Steps } from "../snapshots/in-turns.js";
import type { FamilyConflict } from "../snapshots/merge.js";
import { keyOfPoint, type SeriesPoint } from "../snapshots/series-key.js";
import { type Report, snapshotBytesOf } from "./messages.js";
import { ownFamilies } from "./own-families.js";
import type { MessagePipe } from "./pipe.js";
import { type RefusalReason, Reported } from "./reported.js";
import { expiredSeries, type IsHeld, isCumulative, lastingOf, Residue } from "./residue.js";

/** Instances that ended, remembered so that a message that comes late is not taken for a new process; a UUID each. */
const endedMax = 10_000;

export interface KnownNumbersOptions {
  readonly processesMax: number;
  readonly reportBytesMax: number;
  readonly residueSeriesMax: number;
  readonly clock: Clock;
  readonly onConflict: (conflict: FamilyConflict) => void;
  /** Told why a process is left out. */
  readonly onRefused: (why: string) => void;
}

/**
 * What is known of this process's numbers and of all that report. What comes in is only noted, and worked off in steps between which
 * anything may come in:
 *
 *     report ─▶ reported, undecoded ──settle──▶ reported, decoded ───┐
 *     end    ─▶ leaving ──────────────settle──▶ residue ─────────────┴─sum──▶ snapshot
 *
 * `settle` alone changes the residue and what is decoded. One of them runs at a time, and whoever wants another ends it first.
 */
export class KnownNumbers {
  readonly #options: KnownNumbersOptions;
  readonly #startedMs: number;
  readonly #residue: Residue;
  /** By instance, in order of their first report. */
  readonly #reported = new Map<string, Reported>();
  /** Of processes that have ended, and are not in the residue yet. */
  readonly #leaving: Reported[] = [];
  readonly #ended = new Set<string>();
  #endedCount = 0;
  readonly #refusals: Record<RefusalReason, number> = { garbage: 0, "too-large": 0, late: 0 };
  #own: MetricsSnapshot | undefined;
  #settling: Steps<void> | undefined;

  constructor(options: KnownNumbersOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#residue = new Residue(options.residueSeriesMax, options.onConflict);
  }

  /** Registries of living processes of which anything is known, in order of their first report. */
  living(): readonly Reported[] {
    return [...this.#reported.values()].filter(({ atMs }) => atMs !== undefined);
  }

  isLiving(reported: Reported): boolean {
    return this.#reported.get(reported.instance) === reported;
  }

  /** Something came that must not wait until somebody asks for numbers. */
  get isDue(): boolean {
    if (this.#leaving.length > 0) return true;
    const nowMs = this.#options.clock.monotonicMs();
    return [...this.#reported.values()].some((reported) => reported.isDue(nowMs));
  }

  refuseGarbage(): void {
    this.#refusals.garbage += 1;
  }

  take(pipe: MessagePipe, report: Report): void {
    const { instance } = report;
    const known = this.#reported.get(instance);
    if (this.#ended.has(instance) || (known !== undefined && known.pipe !== pipe)) this.#refusals.late += 1;
    else if (snapshotBytesOf(report) > this.#options.reportBytesMax) this.#refusals["too-large"] += 1;
    else if (known !== undefined) this.#refusals.late += known.take(report) ? 0 : 1;
    else if (this.#reported.size >= this.#options.processesMax)
      this.#options.onRefused(`${this.#reported.size} registries are reported already`);
    else this.#reported.set(instance, new Reported(pipe, report));
  }

  /** Nothing comes over the pipe any more. */
  end(pipe: MessagePipe): void {
    for (const reported of [...this.#reported.values()]) {
      if (reported.pipe !== pipe) continue;
      this.#reported.delete(reported.instance);
      this.#leaving.push(reported);
      this.#ended.add(reported.instance);
      const [oldest] = this.#ended;
      if (this.#ended.size > endedMax && oldest !== undefined) this.#ended.delete(oldest);
    }
  }

  /** Works off what is due. */
  *settleDue(): Steps<void> {
    yield* this.#settle((reported) => reported.isDue(this.#options.clock.monotonicMs()));
  }

  /**
   * Works off all that has come, and adds it up. What is added up is decided in one step: whatever comes after it, the answer is one
   * state. It is right only if no other `settle` ran after that step.
   *
   * @param own this process's numbers, newer than those of the former call
   */
  *collect(own: MetricsSnapshot): Steps<MetricsSnapshot> {
    yield* this.#settle(() => true, own);
    return yield* this.#sum(own);
  }

  *#settle(isWanted: (reported: Reported) => boolean, own?: MetricsSnapshot): Steps<void> {
    while (this.#settling !== undefined) yield* this.#follow(this.#settling);
    const work = this.#workOff(isWanted, own);
    this.#settling = work;
    yield* this.#follow(work);
  }

  /** Whoever calls takes the next step, so that it ends even when the one who began it waits for his turn. */
  *#follow(work: Steps<void>): Steps<void> {
    while (work.next().done !== true) yield;
    if (this.#settling === work) this.#settling = undefined;
  }

  *#workOff(isWanted: (reported: Reported) => boolean, own: MetricsSnapshot | undefined): Steps<void> {
    for (let reported = this.#leaving[0]; reported !== undefined; reported = this.#leaving[0]) {
      yield* this.#refresh(reported);
      if (reported.snapshot !== undefined) {
        yield* this.#residue.fold(reported.snapshot, yield* this.#heldBy(reported));
        this.#endedCount += 1;
      }
      this.#leaving.shift();
    }
    for (const reported of [...this.#reported.values()])
      if (isWanted(reported)) yield* this.#refresh(reported);
    if (own === undefined) return;
    if (this.#own !== undefined) yield* this.#retire(this.#own, own, undefined);
    this.#own = own;
    this.#residue.declare(own);
  }

  *#refresh(reported: Reported): Steps<void> {
    const former = reported.snapshot;
    if (!(yield* reported.decode(this.#options.clock.monotonicMs()))) this.#refusals.garbage += 1;
    const newer = reported.snapshot;
    if (newer === undefined) {
      if (!reported.hasNews && this.isLiving(reported)) this.#reported.delete(reported.instance);
    } else if (former !== undefined && newer !== former) {
      yield* this.#retire(former, newer, reported);
    }
  }

  /** Keeps what a process counted in series that it has given up. @param owner undefined for this process's own registry */
  *#retire(former: MetricsSnapshot, newer: MetricsSnapshot, owner: Reported | undefined): Steps<void> {
    const expired = yield* expiredSeries(former, newer);
    if (expired.length === 0) return;
    const isHeld = yield* this.#heldBy(owner);
    yield* eachPoint(expired, (series) =>
      this.#residue.expire(former, series, isHeld(series.family.name, keyOfPoint(series.point))),
    );
  }

  /** By all that live, except one. @param except undefined for this process's own registry */
  *#heldBy(except: Reported | undefined): Steps<IsHeld> {
    const others = [...this.#reported.values(), ...this.#leaving].filter((reported) => reported !== except);
    const snapshots = others.flatMap(({ snapshot }) => snapshot ?? []);
    if (this.#own !== undefined && except !== undefined) snapshots.unshift(this.#own);
    const held = new Map<string, Set<string>>();
    for (const family of snapshots.flatMap(({ families }) => families.filter(isCumulative))) {
      const keys = held.get(family.name) ?? new Set();
      held.set(family.name, keys);
      yield* eachPoint<SeriesPoint>(family.points, (point) => keys.add(keyOfPoint(point)));
    }
    return (family, key) => held.get(family)?.has(key) ?? false;
  }

  *#sum(own: MetricsSnapshot): Steps<MetricsSnapshot> {
    const state = this.#state(own);
    const { nowMs, isExact, snapshots } = state;
    const sum = yield* this.#residue.copyInSteps();
    let seriesRefused = 0;
    const onConflict = (conflict: FamilyConflict): void => {
      seriesRefused += conflict.seriesRefused;
      this.#options.onConflict(conflict);
    };
    for (const snapshot of snapshots) yield* sum.addInSteps(snapshot, { onConflict });
    const families = ownFamilies({ ...state, startedMs: this.#startedMs, seriesRefused });
    sum.add({ atMs: nowMs, isExact: true, families });
    return yield* sum.finishInSteps(nowMs, isExact);
  }

  /** All that the sum is of, but for the residue, which only `settle` changes. */
  #state(own: MetricsSnapshot): SumState {
    const reported = [...this.#reported.values()].flatMap(({ pipe, snapshot, isClosed, isSilent }) =>
      snapshot === undefined ? [] : [{ name: pipe.name, snapshot, isClosed, isSilent }],
    );
    const leaving = this.#leaving.flatMap(({ snapshot }) => snapshot ?? []);
    return {
      nowMs: Math.max(this.#options.clock.now(), own.atMs),
      isExact:
        own.isExact &&
        leaving.every(({ isExact }) => isExact) &&
        reported.every(({ snapshot, isSilent }) => snapshot.isExact && !isSilent),
      snapshots: [
        own,
        ...leaving.map(lastingOf),
        ...reported.map(({ snapshot, isClosed }) => (isClosed ? lastingOf(snapshot) : snapshot)),
      ],
      statuses: reported.map(({ name, snapshot, isSilent }) => ({
        name,
        atMs: snapshot.atMs,
        isStale: isSilent,
      })),
      ended: this.#endedCount + leaving.length,
      refusals: { ...this.#refusals },
      residueSeries: this.#residue.seriesCount,
    };
  }
}

interface SumState {
  readonly nowMs: number;
  readonly isExact: boolean;
  readonly snapshots: readonly MetricsSnapshot[];
  readonly statuses: readonly { readonly name: string; readonly atMs: number; readonly isStale: boolean }[];
  readonly ended: number;
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  readonly residueSeries: number;
}
