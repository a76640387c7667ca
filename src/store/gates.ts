import type { Position, SettleResult, Take } from "./contract.js";
import type { Draft } from "./draft.js";
import { frameKey, retryLeaseKey, watermarkKey } from "./keys.js";
import { post } from "./ledger.js";
import { sequenceOf } from "./positions.js";

type Foreign = Extract<SettleResult, { kind: "foreign" }>;

/** What keeps the take from being exactly the next one; undefined when nothing does. Writes nothing. */
export function foreignOf(draft: Draft, source: Take): Foreign | undefined {
  return source.kind === "file" ? foreignRange(draft, source) : foreignFrames(draft, source);
}

function foreignRange(draft: Draft, take: Extract<Take, { kind: "file" }>): Foreign | undefined {
  const watermark = draft.get("watermarks", watermarkKey(take.source, take.file))?.offset ?? 0;
  return watermark === take.start ? undefined : { kind: "foreign", positions: [], watermark };
}

function foreignFrames(draft: Draft, take: Extract<Take, { kind: "frames" }>): Foreign | undefined {
  const isForeignKey = (key: string): boolean => draft.get("leases", key)?.worker !== take.worker;
  const positions: Position[] = take.positions.filter((position) =>
    isForeignKey(frameKey(sequenceOf(position)!)),
  );
  const retries = take.retries.filter((id) => isForeignKey(retryLeaseKey(id)));
  if (positions.length === 0 && retries.length === 0) return undefined;
  return { kind: "foreign", positions: [...positions, ...retries] };
}

/** Takes what the gate let through: the range into the watermark, frames and retry rows out of the store. */
export function take(draft: Draft, what: Take, nowMs: number): void {
  if (what.kind === "file") {
    const { source, file, end: offset, identity } = what;
    draft.put("watermarks", watermarkKey(source, file), { source, file, offset, identity, settledMs: nowMs });
    return;
  }
  for (const position of what.positions) takeFrame(draft, frameKey(sequenceOf(position)!));
  for (const id of what.retries) takeRetry(draft, id);
}

function takeFrame(draft: Draft, key: string): void {
  const record = draft.get("frames", key);
  if (record !== undefined) post(draft, record.frame.source, { leased: -record.frame.events });
  draft.delete("frames", key);
  draft.delete("leases", key);
}

function takeRetry(draft: Draft, id: string): void {
  const row = draft.get("retries", id);
  if (row !== undefined) post(draft, row.source, { retrying: -1 });
  draft.delete("retries", id);
  draft.delete("leases", retryLeaseKey(id));
}
