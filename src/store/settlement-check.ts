import type { Failure, LedgerPosting, Settlement, Take } from "./contract.js";
import { type Delta, decodeDelta } from "./delta.js";
import { SettlementInconsistentError, SettlementInvalidError } from "./errors.js";
import { isEmptyPosting } from "./ledger.js";
import { sequenceOf } from "./positions.js";

/**
 * Refuses what no worker can have meant, before the step looks at the state.
 * @throws SettlementInvalidError, SettlementInconsistentError
 */
export function checkSettlement(settlement: Settlement): Delta {
  const { take, ledger, failures } = settlement;
  for (const posting of ledger) checkPosting(posting, take);
  checkFailures(ledger, failures);
  const delta = decode(settlement.delta);
  checkDelta(delta);
  if (take.kind === "file") checkFile(take);
  else checkFrames(take);
  if (takesNothing(take) && !isEmpty(delta, settlement))
    throw new SettlementInvalidError("it takes nothing, so nothing would stop it from counting twice");
  return delta;
}

function checkPosting(posting: LedgerPosting, take: Take): void {
  const { source, lost, absent, ...figures } = posting;
  for (const tallies of [figures, lost, absent])
    for (const [name, count] of Object.entries(tallies))
      if (!isCount(count))
        throw new SettlementInvalidError(`${name} of source ${source} is ${String(count)}`);
  if (take.kind === "frames" && posting.accepted !== 0)
    throw new SettlementInconsistentError(
      source,
      `it posts ${posting.accepted} accepted events, and those of frames were posted when they were appended`,
    );
}

/** The posting carries the numbers; each failure it counts must be there, and no other. */
function checkFailures(ledger: readonly LedgerPosting[], failures: readonly Failure[]): void {
  const expected = new Map<string, number>();
  for (const { source, dead, retrying } of ledger)
    expected.set(source, (expected.get(source) ?? 0) + dead + retrying);
  const found = new Map<string, number>();
  for (const { source } of failures) found.set(source, (found.get(source) ?? 0) + 1);
  for (const source of new Set([...expected.keys(), ...found.keys()])) {
    const posted = expected.get(source) ?? 0;
    const given = found.get(source) ?? 0;
    if (posted !== given)
      throw new SettlementInconsistentError(
        source,
        `it posts ${posted} failed events and gives ${given} failures`,
      );
  }
}

function decode(bytes: Uint8Array): Delta {
  try {
    return decodeDelta(bytes);
  } catch (cause) {
    throw new SettlementInvalidError(`its delta of ${bytes.length} bytes can't be decoded`, { cause });
  }
}

function checkDelta(delta: Delta): void {
  checkTime(delta.newestMs, "newest event time");
  for (const { changes } of delta.add)
    for (const { slot } of changes)
      if (slot !== undefined && !Number.isSafeInteger(slot.startMs))
        throw new SettlementInvalidError(`a slot starts at ${slot.startMs}`);
  for (const change of delta.keyed) {
    if (change.kind === "upsert") continue;
    checkTime(change.atMs, `half ${change.key}`);
    checkTime(change.dueMs, `half ${change.key}`);
  }
}

function checkTime(timeMs: number | undefined, what: string): void {
  if (timeMs !== undefined && !(Math.abs(timeMs) <= 8.64e15))
    throw new SettlementInvalidError(`the time of ${what} is ${timeMs}`);
}

function checkFile(take: Extract<Take, { kind: "file" }>): void {
  const { start, end, file } = take;
  if (!isCount(start) || !isCount(end) || start > end)
    throw new SettlementInvalidError(`the range of file ${file} is ${start}..${end}`);
}

function checkFrames(take: Extract<Take, { kind: "frames" }>): void {
  const { positions, retries } = take;
  const strange = positions.find((position) => sequenceOf(position) === undefined);
  if (strange !== undefined) throw new SettlementInvalidError(`${strange} is no position`);
  if (new Set(positions).size !== positions.length || new Set(retries).size !== retries.length)
    throw new SettlementInvalidError("it takes a position twice");
}

function takesNothing(take: Take): boolean {
  if (take.kind === "file") return take.start === take.end;
  return take.positions.length === 0 && take.retries.length === 0;
}

function isEmpty(delta: Delta, { failures, ledger }: Settlement): boolean {
  const { add, keyed, ordered } = delta;
  const hasEffect = add.length > 0 || keyed.length > 0 || ordered.length > 0 || failures.length > 0;
  return !hasEffect && ledger.every(isEmptyPosting);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
