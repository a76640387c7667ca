import { copyBytes } from "../base/index.js";
import type {
  AppendOutcome,
  Batch,
  Frame,
  LeasedFrame,
  LeaseLimits,
  Position,
  RetryRow,
} from "./contract.js";
import type { Draft } from "./draft.js";
import { FrameInvalidError, StreamFullError } from "./errors.js";
import { frameKey, producerKey, retryLeaseKey } from "./keys.js";
import { post } from "./ledger.js";
import type { ResolvedLimits } from "./options.js";
import { positionOf, sequenceOf } from "./positions.js";
import type { State } from "./state.js";
import type { LeaseRecord, RetryRecord } from "./tables.js";

/** A frame is up to 1,000 events or 256 KiB: small enough for a settlement of milliseconds. */
const frameEventsMax = 1_000;
const framePayloadBytesMax = 256 * 1024;

/** The append gate, frame by frame. @throws FrameInvalidError, StreamFullError: then nothing was appended */
export function append(
  state: State,
  draft: Draft,
  frames: readonly Frame[],
  limits: ResolvedLimits,
  nowMs: number,
): readonly AppendOutcome[] {
  for (const frame of frames) checkFrame(frame);
  let sequence = state.meta.nextSequence;
  let streamBytes = state.streamBytes;
  const outcomes = frames.map((frame): AppendOutcome => {
    const key = producerKey(frame.producer, frame.epoch);
    const stored = draft.get("producers", key)?.sequence ?? 0;
    if (frame.sequence <= stored) {
      post(draft, frame.source, { accepted: frame.events, duplicate: frame.events });
      return { kind: "duplicate" };
    }
    if (frame.sequence > stored + 1) return { kind: "gap", expected: stored + 1 };
    streamBytes += frame.payload.length;
    if (streamBytes > limits.streamBytesMax)
      throw new StreamFullError(state.streamBytes, limits.streamBytesMax);
    draft.put("producers", key, {
      producer: frame.producer,
      epoch: frame.epoch,
      sequence: frame.sequence,
      appendedMs: nowMs,
    });
    draft.put("frames", frameKey(sequence), {
      sequence,
      frame: { ...frame, payload: copyBytes(frame.payload) },
    });
    post(draft, frame.source, { accepted: frame.events, waiting: frame.events });
    sequence += 1;
    return { kind: "appended", position: positionOf(sequence - 1) };
  });
  forgetProducers(state, draft, frames.length, limits.producersMax);
  if (sequence !== state.meta.nextSequence)
    draft.put("meta", "state", { ...state.meta, nextSequence: sequence });
  return outcomes;
}

function checkFrame({ producer, sequence, events, payload }: Frame): void {
  if (!Number.isSafeInteger(sequence) || sequence < 1)
    throw new FrameInvalidError(`its sequence is ${sequence} (producer ${producer})`);
  if (!Number.isSafeInteger(events) || events < 0 || events > frameEventsMax)
    throw new FrameInvalidError(
      `it has ${events} events of at most ${frameEventsMax} (producer ${producer})`,
    );
  if (payload.length > framePayloadBytesMax)
    throw new FrameInvalidError(
      `it has ${payload.length} bytes of at most ${framePayloadBytesMax} (producer ${producer})`,
    );
}

function forgetProducers(state: State, draft: Draft, added: number, producersMax: number): void {
  let excess = state.tables.producers.size + added - producersMax;
  if (excess <= 0) return;
  for (const { key } of state.producerOrder.ascending()) {
    if (excess <= 0) return;
    // One of this very call is not the longest silent.
    if (draft.hasOwn("producers", key)) continue;
    draft.delete("producers", key);
    excess -= 1;
  }
}

interface LeaseTerms {
  readonly worker: string;
  readonly untilMs: number;
}

/** Takes due retries, then frames whose lease has ended, then waiting ones in order; undefined when there is nothing. */
export function lease(
  state: State,
  draft: Draft,
  worker: string,
  limits: LeaseLimits,
  nowMs: number,
): Batch | undefined {
  const room = { frames: limits.framesMax, bytes: limits.bytesMax };
  const terms = { worker, untilMs: nowMs + limits.leaseMs };
  const retries = leaseRetries(state, draft, terms, room, nowMs);
  const frames: LeasedFrame[] = [];
  for (const key of availableFrames(state, nowMs)) {
    const record = state.tables.frames.get(key);
    if (record === undefined) continue;
    // The first is taken whatever its size, or a large one would be stuck.
    const isFirst = frames.length === 0 && retries.length === 0;
    if (room.frames <= 0 || (!isFirst && record.frame.payload.length > room.bytes)) break;
    room.frames -= 1;
    room.bytes -= record.frame.payload.length;
    const earlier = state.tables.leases.get(key);
    const deliveries = put(draft, key, "frame", terms, earlier);
    const { events } = record.frame;
    if (earlier === undefined) post(draft, record.frame.source, { waiting: -events, leased: events });
    frames.push({ position: positionOf(record.sequence), frame: record.frame, deliveries });
  }
  if (frames.length === 0 && retries.length === 0) return undefined;
  return { generation: state.meta.generation, worker, frames, retries };
}

function leaseRetries(
  state: State,
  draft: Draft,
  terms: LeaseTerms,
  room: { bytes: number },
  nowMs: number,
): readonly RetryRow[] {
  const rows: RetryRow[] = [];
  for (const { rank, key } of state.retryOrder.ascending()) {
    if (rank > nowMs || rows.length >= frameEventsMax) break;
    const record = state.tables.retries.get(key);
    const earlier = state.tables.leases.get(retryLeaseKey(key));
    if (record === undefined || (earlier !== undefined && earlier.untilMs > nowMs)) continue;
    if (rows.length > 0 && record.bytes.length > room.bytes) break;
    room.bytes -= record.bytes.length;
    put(draft, retryLeaseKey(key), "retry", terms, earlier);
    rows.push(retryRow(record));
  }
  return rows;
}

function retryRow({
  id,
  source,
  at,
  bytes,
  attempts,
  dueMs,
  firstError,
  newestError,
}: RetryRecord): RetryRow {
  return { id, source, at, bytes, attempts, dueMs, firstError, newestError };
}

function* availableFrames(state: State, nowMs: number): Generator<string> {
  for (const { rank, key } of state.leaseEnds.ascending()) {
    if (rank > nowMs) break;
    if (state.tables.leases.get(key)?.kind === "frame") yield key;
  }
  for (const { key } of state.waiting.ascending()) yield key;
}

function put(
  draft: Draft,
  key: string,
  kind: LeaseRecord["kind"],
  terms: LeaseTerms,
  earlier: LeaseRecord | undefined,
): number {
  const deliveries = (earlier?.deliveries ?? 0) + 1;
  draft.put("leases", key, { kind, ...terms, deliveries });
  return deliveries;
}

/** Extends what is still this worker's, also after its end if nobody else took it; answers what is not. */
export function renew(
  draft: Draft,
  worker: string,
  positions: readonly Position[],
  untilMs: number,
): readonly Position[] {
  return positions.filter((position) => {
    const sequence = sequenceOf(position);
    const key = sequence === undefined ? retryLeaseKey(position) : frameKey(sequence);
    const held = draft.get("leases", key);
    if (held?.worker !== worker) return true;
    draft.put("leases", key, { ...held, untilMs });
    return false;
  });
}

/** When something may be there to lease although nothing is appended; undefined when never. */
export function nextLeasableMs(state: State): number | undefined {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { rank } of state.leaseEnds.ascending()) {
    nextMs = rank;
    break;
  }
  for (const { rank, key } of state.retryOrder.ascending()) {
    if (state.tables.leases.has(retryLeaseKey(key))) continue;
    nextMs = Math.min(nextMs, rank);
    break;
  }
  return Number.isFinite(nextMs) ? nextMs : undefined;
}
