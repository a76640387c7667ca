import { Additions } from "./additions.js";
import { countOf } from "./cell.js";
import { putLane } from "./claims.js";
import type { Change, Settlement, SettleResult } from "./contract.js";
import type { Delta } from "./delta.js";
import { Draft } from "./draft.js";
import { SettlementInvalidError, UnknownMetricError } from "./errors.js";
import { FailureMoves } from "./failures.js";
import { Folding } from "./folding.js";
import { foreignOf, take } from "./gates.js";
import { KeyedChanges } from "./keyed.js";
import { metaKey } from "./keys.js";
import { post } from "./ledger.js";
import type { ResolvedLimits } from "./options.js";
import { checkSettlement } from "./settlement-check.js";
import { boundariesAt } from "./slots.js";
import type { State } from "./state.js";
import type { MetaRecord, WriteSet } from "./tables.js";

/** A step that is ready: `writes` are to be kept and applied together, or not at all. */
export interface Prepared<Result> {
  readonly writes: WriteSet;
  readonly result: Result;
  /** For the readers, once the writes are applied. */
  readonly change?: Change;
}

/** The data clock as it is used: never more than `aheadMs` ahead of the store's own, even if that was set back. */
export function clockOf(meta: MetaRecord, limits: ResolvedLimits, nowMs: number): number | undefined {
  return meta.dataClockMs === undefined ? undefined : Math.min(meta.dataClockMs, nowMs + limits.aheadMs);
}

/** The one step with an effect, in the order: check, gate, take, apply. Until it is applied nothing has happened. */
export function prepareSettle(
  state: State,
  limits: ResolvedLimits,
  settlement: Settlement,
  nowMs: number,
): Prepared<SettleResult> {
  const { generation } = state.meta;
  if (settlement.generation !== generation) return { writes: [], result: { kind: "generation", generation } };
  const delta = checkSettlement(settlement);
  checkKinds(state, delta);
  const draft = new Draft(state.tables);
  const foreign = foreignOf(draft, settlement.take);
  if (foreign !== undefined) return { writes: [], result: foreign };
  take(draft, settlement.take, nowMs);
  const step = new Step(state, draft, limits, nowMs, newClock(state.meta, limits, delta, nowMs));
  const sources = step.postLedger(settlement);
  step.failures.fail(settlement.failures, settlement.take);
  step.add(delta);
  step.fold();
  const change = step.finish(sources);
  return { writes: draft.finish(), result: { kind: "settled", version: change.version }, change };
}

/** Gives up due halves and over-aged dead letters. The result is how many halves are still due. */
export function prepareRunDue(
  state: State,
  limits: ResolvedLimits,
  limit: number,
  nowMs: number,
): Prepared<number> {
  let due = 0;
  for (const { rank } of state.dueOrder.ascending()) {
    if (rank > nowMs) break;
    due += 1;
  }
  const draft = new Draft(state.tables);
  const step = new Step(state, draft, limits, nowMs, clockOf(state.meta, limits, nowMs));
  step.keyed.giveUpDue(limit);
  const change = step.finish([]);
  const result = Math.max(0, due - limit);
  if (due === 0 && change.deadLetters === 0) return { writes: [], result };
  return { writes: draft.finish(), result, change };
}

class Step {
  readonly failures: FailureMoves;
  readonly keyed: KeyedChanges;
  readonly #state: State;
  readonly #draft: Draft;
  readonly #limits: ResolvedLimits;
  readonly #clockMs: number | undefined;
  readonly #additions: Additions;
  readonly #boundaries: readonly number[];
  #forcedMs: readonly number[];

  constructor(
    state: State,
    draft: Draft,
    limits: ResolvedLimits,
    nowMs: number,
    clockMs: number | undefined,
  ) {
    this.#state = state;
    this.#draft = draft;
    this.#limits = limits;
    this.#clockMs = clockMs;
    this.#forcedMs = state.meta.forcedMs;
    const { levels, aheadMs } = limits;
    this.#boundaries = boundariesAt(levels, clockMs, this.#forcedMs);
    const times = { nowMs, futureAfterMs: nowMs + aheadMs, levels, boundaries: this.#boundaries };
    this.#additions = new Additions(state, draft, times);
    this.failures = new FailureMoves(state, draft, limits, nowMs);
    this.keyed = new KeyedChanges(state, draft, this.#additions, nowMs);
  }

  /** `dead` and `retrying` are posted with each failure, when it is decided which of the two it becomes. */
  postLedger({ ledger }: Settlement): readonly string[] {
    for (const posting of ledger) post(this.#draft, posting.source, { ...posting, dead: 0, retrying: 0 });
    return [...new Set(ledger.map(({ source }) => source))];
  }

  add(delta: Delta): void {
    for (const { metric, changes } of delta.add) {
      const additions = this.#additions.of(metric);
      for (const change of changes) if (countOf(change.cell) !== 0) additions.add(change);
    }
    for (const change of delta.keyed) this.keyed.apply(change);
    for (const change of delta.ordered) putLane(this.#draft, change);
    this.keyed.keepBound(this.#limits.rowsMax);
  }

  fold(): void {
    const { levels, foldCellsMax, stateBytesMax } = this.#limits;
    const cellsMax = Math.max(foldCellsMax, 2 * this.#additions.newCells);
    const work = { levels, boundaries: this.#boundaries, forcedMs: this.#forcedMs, cellsMax, stateBytesMax };
    this.#forcedMs = new Folding(this.#state, this.#draft, work).run();
  }

  finish(sources: readonly string[]): Change {
    const { meta } = this.#state;
    const version = meta.version + 1;
    this.#draft.put("meta", metaKey, {
      ...meta,
      ...this.failures.finish(),
      version,
      dataClockMs: this.#clockMs,
      forcedMs: this.#forcedMs,
      rowsForgotten: meta.rowsForgotten + this.keyed.forgotten,
    });
    const metrics = this.#additions.finish();
    return { generation: meta.generation, version, metrics, sources, deadLetters: this.failures.deadLetters };
  }
}

function checkKinds(state: State, delta: Delta): void {
  for (const { metric, kind } of delta.add) {
    const known = state.tables.metrics.get(metric)?.definition;
    if (known === undefined) throw new UnknownMetricError(metric);
    if (known.kind !== kind)
      throw new SettlementInvalidError(`metric ${known.name} is a ${known.kind}, the delta has a ${kind}`);
  }
}

/**
 * The data clock after the delta. An event too far ahead does not move it: then the newest slot that is not, does,
 * or one wrong date would age everyone's slots by five minutes.
 */
function newClock(meta: MetaRecord, limits: ResolvedLimits, delta: Delta, nowMs: number): number | undefined {
  const limitMs = nowMs + limits.aheadMs;
  const before = clockOf(meta, limits, nowMs);
  let newest = delta.newestMs;
  if (newest === undefined || newest > limitMs) {
    newest = undefined;
    for (const { changes } of delta.add)
      for (const { slot } of changes) {
        if (slot === undefined || slot.startMs > limitMs) continue;
        const lastMs = Math.min(slot.startMs + slot.widthMs - 1, limitMs);
        if (newest === undefined || lastMs > newest) newest = lastMs;
      }
  }
  if (before === undefined || newest === undefined) return newest ?? before;
  return Math.max(before, newest);
}
