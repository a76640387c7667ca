import type { LedgerPosting, LedgerRow } from "./contract.js";
import type { Draft } from "./draft.js";
import type { LedgerRecord } from "./tables.js";

type Figure =
  | "accepted"
  | "settled"
  | "waiting"
  | "leased"
  | "retrying"
  | "dead"
  | "dropped"
  | "duplicate"
  | "bytes";

/** Changes of one source's figures; a negative one takes an event out of a state. */
export type LedgerChange = { readonly [Name in Figure]?: number } & {
  readonly lost?: Readonly<Record<string, number>>;
  readonly absent?: Readonly<Record<string, number>>;
};

const figures: readonly Figure[] = [
  "accepted",
  "settled",
  "waiting",
  "leased",
  "retrying",
  "dead",
  "dropped",
  "duplicate",
  "bytes",
];

/** Posts each transition to the side that it leaves and the side that it enters. */
export function post(draft: Draft, source: string, change: LedgerChange): void {
  const before = draft.get("ledger", source) ?? emptyLedger(source);
  const after: { -readonly [Name in keyof LedgerRecord]: LedgerRecord[Name] } = { ...before };
  for (const figure of figures) after[figure] += change[figure] ?? 0;
  after.lost = tallied(before.lost, change.lost);
  after.absent = tallied(before.absent, change.absent);
  draft.put("ledger", source, after);
}

/** Computed from posted figures only: what was never posted, or twice, shows here. */
export function ledgerRow(record: LedgerRecord): LedgerRow {
  let lost = 0;
  for (const count of record.lost.values()) lost += count;
  const { accepted, settled, waiting, leased, retrying, dead, dropped, duplicate } = record;
  return {
    ...record,
    lost: Object.fromEntries(record.lost),
    absent: Object.fromEntries(record.absent),
    unaccounted: accepted - (settled + waiting + leased + retrying + dead + dropped + duplicate + lost),
  };
}

/** Whether the posting leaves every figure as it is. */
export function isEmptyPosting(posting: LedgerPosting): boolean {
  const { accepted, settled, dropped, dead, retrying, duplicate, bytes } = posting;
  const counts = [accepted, settled, dropped, dead, retrying, duplicate, bytes];
  return [...counts, ...Object.values(posting.lost), ...Object.values(posting.absent)].every((n) => n === 0);
}

function emptyLedger(source: string): LedgerRecord {
  const zeros = Object.fromEntries(figures.map((figure) => [figure, 0])) as Record<Figure, number>;
  return { source, ...zeros, lost: new Map(), absent: new Map() };
}

function tallied(
  before: ReadonlyMap<string, number>,
  added: Readonly<Record<string, number>> | undefined,
): ReadonlyMap<string, number> {
  const entries = Object.entries(added ?? {}).filter(([, count]) => count !== 0);
  if (entries.length === 0) return before;
  const after = new Map(before);
  for (const [name, count] of entries) after.set(name, (after.get(name) ?? 0) + count);
  return after;
}
