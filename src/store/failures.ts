import { copyBytes } from "../base/index.js";
import type { DeadLetter, DeadLetterFilter, Failure, Take } from "./contract.js";
import type { Draft } from "./draft.js";
import { SettlementInconsistentError } from "./errors.js";
import { deadLetterKey, eventId } from "./keys.js";
import { post } from "./ledger.js";
import type { ResolvedLimits } from "./options.js";
import type { State } from "./state.js";
import type { RetryRecord } from "./tables.js";

/** Longest error text kept, in characters: enough for a message, too short for a body in disguise. */
const errorTextMax = 2_000;

/**
 * Moves a settlement's failures to `retrying` or to the dead letters. The posting has them as failed already; which of
 * the two each becomes is decided here, because only the store knows an event's attempts.
 */
export class FailureMoves {
  /** Dead letters that came or went. */
  deadLetters = 0;
  readonly #state: State;
  readonly #draft: Draft;
  readonly #limits: ResolvedLimits;
  readonly #nowMs: number;
  readonly #died: DeadLetter[] = [];
  #nextId: number;
  #evicted = 0;
  #retries: number;
  #retryBytes: number;

  constructor(state: State, draft: Draft, limits: ResolvedLimits, nowMs: number) {
    this.#state = state;
    this.#draft = draft;
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#nextId = state.meta.nextDeadLetterId;
    this.#retries = state.tables.retries.size;
    this.#retryBytes = state.retryBytes;
  }

  /** Posts nothing for failures beyond `dead` and `retrying`, one for each. */
  fail(failures: readonly Failure[], take: Take): void {
    const taken = new Map<string, RetryRecord>();
    if (take.kind === "frames")
      for (const id of take.retries) {
        const row = this.#state.tables.retries.get(id);
        if (row !== undefined) taken.set(id, row);
      }
    this.#retries -= taken.size;
    for (const row of taken.values()) this.#retryBytes -= row.bytes.length;
    for (const failure of failures) this.#fail(failure, taken);
  }

  #fail(failure: Failure, taken: ReadonlyMap<string, RetryRecord>): void {
    const { source, at, length, reason, rule } = failure;
    const id = eventId(source, at);
    const earlier = taken.get(id);
    const bytes = copyBytes(failure.bytes, this.#limits.deadLetterBytesMax);
    const message = failure.message.slice(0, errorTextMax);
    const attempts = (earlier?.attempts ?? 0) + 1;
    const event = {
      source,
      at,
      bytes,
      length,
      reason,
      attempts,
      firstError: earlier?.firstError ?? message,
      newestError: message,
      firstMs: earlier?.firstMs ?? this.#nowMs,
      newestMs: this.#nowMs,
      ...(rule === undefined ? {} : { rule }),
    };
    if (failure.disposition === "attempt" && attempts < this.#limits.attemptsMax && this.#hasRoom(bytes))
      this.#retry({ id, ...event, dueMs: this.#nowMs + this.#backoffMs(attempts) });
    else this.#die(event);
  }

  #retry(row: RetryRecord): void {
    if (this.#draft.get("retries", row.id) !== undefined)
      throw new SettlementInconsistentError(
        row.source,
        `event ${row.id} is already waiting for another attempt`,
      );
    this.#retries += 1;
    this.#retryBytes += row.bytes.length;
    this.#draft.put("retries", row.id, row);
    post(this.#draft, row.source, { retrying: 1 });
  }

  #die(event: Omit<DeadLetter, "id">): void {
    const letter: DeadLetter = { id: this.#nextId, ...event };
    this.#nextId += 1;
    this.#died.push(letter);
    this.#draft.put("deadLetters", deadLetterKey(letter.id), letter);
    post(this.#draft, letter.source, { dead: 1 });
    this.deadLetters += 1;
  }

  /** One attempt more for each, at once; those that can't be tried again, or have no room, stay. Answers how many. */
  replay(letters: readonly DeadLetter[]): number {
    let moved = 0;
    for (const letter of letters) {
      const id = eventId(letter.source, letter.at);
      // A cut payload is only whole again where a file still has it.
      const isWhole = letter.bytes.length === letter.length || letter.at.kind === "file";
      if (!isWhole || !this.#hasRoom(letter.bytes) || this.#draft.get("retries", id) !== undefined) continue;
      const { id: letterId, ...event } = letter;
      this.#draft.delete("deadLetters", deadLetterKey(letterId));
      post(this.#draft, letter.source, { dead: -1 });
      this.#retry({ id, ...event, dueMs: this.#nowMs });
      moved += 1;
    }
    this.deadLetters += moved;
    return moved;
  }

  discard(letters: readonly DeadLetter[]): number {
    for (const { id, source } of letters) {
      this.#draft.delete("deadLetters", deadLetterKey(id));
      post(this.#draft, source, { dead: -1, lost: { discarded: 1 } });
    }
    this.deadLetters += letters.length;
    return letters.length;
  }

  /** Gives up the oldest dead letters beyond the bounds; answers what the store's own record has to say then. */
  finish(): { readonly nextDeadLetterId: number; readonly evicted: number } {
    this.#evict();
    return { nextDeadLetterId: this.#nextId, evicted: this.#state.meta.evicted + this.#evicted };
  }

  #evict(): void {
    let count = this.#state.tables.deadLetters.size + this.#died.length;
    let bytes = this.#state.deadLetterBytes;
    for (const letter of this.#died) bytes += letter.bytes.length;
    const { deadLettersMax, deadLettersBytesMax, deadLetterAgeMsMax } = this.#limits;
    for (const letter of this.#oldestFirst()) {
      const isOld = letter.newestMs < this.#nowMs - deadLetterAgeMsMax;
      if (count <= deadLettersMax && bytes <= deadLettersBytesMax && !isOld) return;
      count -= 1;
      bytes -= letter.bytes.length;
      this.#evicted += 1;
      this.deadLetters += 1;
      this.#draft.delete("deadLetters", deadLetterKey(letter.id));
    }
  }

  *#oldestFirst(): Generator<DeadLetter> {
    for (const { key } of this.#state.deadLetterOrder.ascending()) {
      const letter = this.#draft.get("deadLetters", key);
      if (letter !== undefined) yield letter;
    }
    yield* this.#died;
  }

  #hasRoom(bytes: Uint8Array): boolean {
    const { retriesMax, retryBytesMax } = this.#limits;
    return this.#retries < retriesMax && this.#retryBytes + bytes.length <= retryBytesMax;
  }

  #backoffMs(attempts: number): number {
    return Math.min(this.#limits.backoffMs * 2 ** (attempts - 1), this.#limits.backoffMsMax);
  }
}

/** Kept dead letters that the filter lets through, oldest first. */
export function selectDeadLetters(state: State, filter: DeadLetterFilter): readonly DeadLetter[] {
  const ids = filter.ids === undefined ? undefined : [...new Set(filter.ids)].sort((a, b) => a - b);
  const candidates =
    ids?.flatMap((id) => state.tables.deadLetters.get(deadLetterKey(id)) ?? []) ??
    [...state.deadLettersNewestFirst()].reverse();
  return candidates.filter((letter) => matchesFilter(letter, filter));
}

export function matchesFilter(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  if (filter.source !== undefined && letter.source !== filter.source) return false;
  if (filter.reason !== undefined && letter.reason !== filter.reason) return false;
  return filter.ids === undefined || filter.ids.includes(letter.id);
}
