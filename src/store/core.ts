import { claim, releaseClaim, renewClaim } from "./claims.js";
import type {
  AppendResult,
  Batch,
  CellPage,
  CellQuery,
  Change,
  Claim,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterQuery,
  Frame,
  Generation,
  LeaseLimits,
  LedgerRow,
  MetricDefinition,
  Position,
  Settlement,
  SettleResult,
  StoreInfo,
  Watermark,
  WorkerName,
} from "./contract.js";
import { define } from "./define.js";
import { Draft } from "./draft.js";
import { StoreFormatError } from "./errors.js";
import { FailureMoves, matchesFilter, selectDeadLetters } from "./failures.js";
import { deadLetterKey, metaKey } from "./keys.js";
import { ledgerRow } from "./ledger.js";
import { type ResolvedLimits, resolveLimits, type StoreLimits } from "./options.js";
import { readCells } from "./read.js";
import { clockOf, type Prepared, prepareRunDue, prepareSettle } from "./settle.js";
import { beginningMs, boundariesAt } from "./slots.js";
import { State } from "./state.js";
import { append, lease, nextLeasableMs, renew } from "./stream.js";
import type { Tables, WriteSet } from "./tables.js";

const deadLettersLimitByDefault = 50;

/**
 * What every store over tables does, without clock, disk or waiting. A step has three parts, and only the second can
 * fail:
 *
 *     prepare(input, now)          reads the tables, changes nothing, may refuse (throws)
 *       │  writes, result, change
 *       ▼
 *     Persistence.write(writes)    all of them on disk in one transaction, or none (memory: nothing to do)
 *       │
 *       ▼
 *     commit(writes)               swaps records in, updates what is derived; has no way to fail
 *
 * The tables, and what each step touches:
 *
 *     meta         version, data clock, next ids            every step that changes something
 *     metrics      definitions, late/future/untimed         define, settle
 *     groups       (metric, label tuple) → id               settle
 *     totals       (metric, group) → cell                   settle
 *     cells        (metric, group, level, slot) → cell      settle; ageing ones move a level up
 *     watermarks   (source, file) → offset                  settle of a file range: its gate
 *     frames       sequence → frame                         append, settle
 *     leases       frame or retry → worker, end             lease, renew, settle of frames: its gate
 *     producers    (producer, epoch) → sequence             append: its gate
 *     retries      event → attempts, due                    settle, replay
 *     deadLetters  id → event                               settle, replay, discard
 *     ledger       source → figures                         every step that moves an event
 *     rows, due    (table, key) → half or upsert            settle, runDue
 *     lanes        lane → state under a token               settle
 *     claims       name → owner, token, end                 claim, renewClaim, releaseClaim
 */
export class StoreCore {
  readonly limits: ResolvedLimits;
  readonly #state: State;

  /** Takes over `tables`, empty or as an earlier run left them. @throws StoreFormatError, OptionError */
  constructor(options: StoreLimits, tables: Tables) {
    this.limits = resolveLimits(options);
    const format: unknown = tables.meta.get(metaKey)?.format;
    if (format !== undefined && format !== 1) throw new StoreFormatError(format);
    this.#state = new State(tables, this.limits.levels.length);
  }

  /** False until the writes of `prepareCreate` are committed, which has to come first. */
  get isCreated(): boolean {
    return this.#state.tables.meta.has(metaKey);
  }

  get generation(): Generation {
    return this.#state.meta.generation;
  }

  get version(): number {
    return this.#state.meta.version;
  }

  /** The first step of a new store. */
  prepareCreate(generation: Generation): WriteSet {
    const draft = new Draft(this.#state.tables);
    draft.put("meta", metaKey, {
      format: 1,
      generation,
      version: 0,
      dataClockMs: undefined,
      nextMetricId: 1,
      nextDeadLetterId: 1,
      nextSequence: 1,
      nextToken: 1,
      evicted: 0,
      rowsForgotten: 0,
      forcedMs: this.limits.levels.map(() => beginningMs),
    });
    return draft.finish();
  }

  /** Swaps the records of one prepared step in; nothing else may have been committed since it was prepared. */
  commit(writes: WriteSet): void {
    this.#state.apply(writes);
  }

  prepareDefine(metrics: readonly MetricDefinition[], nowMs: number): Prepared<void> {
    return this.#prepare((draft) => define(this.#state, draft, metrics, nowMs));
  }

  prepareAppend(frames: readonly Frame[], nowMs: number): Prepared<AppendResult> {
    return this.#prepare((draft) => ({
      generation: this.generation,
      outcomes: append(this.#state, draft, frames, this.limits, nowMs),
    }));
  }

  prepareLease(worker: WorkerName, limits: LeaseLimits, nowMs: number): Prepared<Batch | undefined> {
    return this.#prepare((draft) => lease(this.#state, draft, worker, limits, nowMs));
  }

  /** When something may be there to lease although no step happens; undefined when never. */
  nextLeasableMs(): number | undefined {
    return nextLeasableMs(this.#state);
  }

  prepareRenew(
    worker: WorkerName,
    positions: readonly Position[],
    untilMs: number,
  ): Prepared<readonly Position[]> {
    return this.#prepare((draft) => renew(draft, worker, positions, untilMs));
  }

  prepareSettle(settlement: Settlement, nowMs: number): Prepared<SettleResult> {
    return prepareSettle(this.#state, this.limits, settlement, nowMs);
  }

  prepareRunDue(limit: number, nowMs: number): Prepared<number> {
    return prepareRunDue(this.#state, this.limits, limit, nowMs);
  }

  prepareReplay(filter: DeadLetterFilter, nowMs: number): Prepared<number> {
    return this.#prepareMove(filter, nowMs, (moves, letters) => moves.replay(letters));
  }

  prepareDiscard(filter: DeadLetterFilter, nowMs: number): Prepared<number> {
    return this.#prepareMove(filter, nowMs, (moves, letters) => moves.discard(letters));
  }

  prepareClaim(name: string, owner: string, ttlMs: number, nowMs: number): Prepared<Claim | undefined> {
    return this.#prepare((draft) => claim(this.#state, draft, name, owner, { nowMs, ttlMs }));
  }

  prepareRenewClaim(held: Claim, untilMs: number): Prepared<boolean> {
    return this.#prepare((draft) => renewClaim(draft, held, untilMs));
  }

  prepareReleaseClaim(held: Claim): Prepared<void> {
    return this.#prepare((draft) => releaseClaim(draft, held));
  }

  read(query: CellQuery, nowMs: number): CellPage {
    const { meta } = this.#state;
    const { levels } = this.limits;
    const dataClockMs = clockOf(meta, this.limits, nowMs);
    const naturalLastMs = boundariesAt(levels, dataClockMs, []).at(-1)!;
    const boundaries = boundariesAt(levels, dataClockMs, meta.forcedMs);
    return readCells(this.#state, query, { levels, boundaries, naturalLastMs, dataClockMs });
  }

  info(nowMs: number): Omit<StoreInfo, "kind" | "durability"> {
    const { meta, stateBytes } = this.#state;
    return {
      generation: meta.generation,
      version: meta.version,
      dataClockMs: clockOf(meta, this.limits, nowMs),
      stateBytes,
      stateBytesMax: this.limits.stateBytesMax,
    };
  }

  /** By name of the source. */
  ledger(): readonly LedgerRow[] {
    return [...this.#state.tables.ledger.values()]
      .map(ledgerRow)
      .sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
  }

  watermarks(source: string): readonly Watermark[] {
    return [...this.#state.tables.watermarks.values()]
      .filter((watermark) => watermark.source === source)
      .map(({ file, offset, identity, settledMs }) => ({ file, offset, identity, settledMs }));
  }

  deadLetter(id: number): DeadLetter | undefined {
    return this.#state.tables.deadLetters.get(deadLetterKey(id));
  }

  deadLetters(query: DeadLetterQuery): DeadLetterPage {
    const state = this.#state;
    const limit = query.limit ?? deadLettersLimitByDefault;
    const items: DeadLetter[] = [];
    let hasMore = false;
    for (const letter of state.deadLettersNewestFirst(query.before)) {
      if (!matchesFilter(letter, query)) continue;
      if ((hasMore = items.length >= limit)) break;
      items.push(letter);
    }
    const isAll = query.ids === undefined && query.source === undefined && query.reason === undefined;
    const total = isAll ? state.tables.deadLetters.size : selectDeadLetters(state, query).length;
    const next = hasMore ? items.at(-1)?.id : undefined;
    return {
      items,
      total,
      reasons: state.deadLetterSummary.reasons(() => state.deadLettersNewestFirst()),
      evicted: state.meta.evicted,
      ...(next === undefined ? {} : { next }),
    };
  }

  #prepareMove(
    filter: DeadLetterFilter,
    nowMs: number,
    move: (moves: FailureMoves, letters: readonly DeadLetter[]) => number,
  ): Prepared<number> {
    const state = this.#state;
    const { meta } = state;
    const letters = selectDeadLetters(state, filter);
    const draft = new Draft(state.tables);
    const moves = new FailureMoves(state, draft, this.limits, nowMs);
    const result = move(moves, letters);
    if (result === 0) return { writes: [], result };
    const version = meta.version + 1;
    draft.put("meta", metaKey, { ...meta, version });
    const change: Change = {
      generation: meta.generation,
      version,
      metrics: [],
      sources: [...new Set(letters.map(({ source }) => source))],
      deadLetters: result,
    };
    return { writes: draft.finish(), result, change };
  }

  #prepare<Result>(run: (draft: Draft) => Result): Prepared<Result> {
    const draft = new Draft(this.#state.tables);
    const result = run(draft);
    return { writes: draft.finish(), result };
  }
}
