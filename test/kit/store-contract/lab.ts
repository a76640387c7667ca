import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";
import { ByteWriter, ManualClock } from "../../../src/base/index.js";
import { ExactSum, Histogram } from "../../../src/sketch/index.js";
import {
  type Cell,
  type CellChange,
  type CellKind,
  type Delta,
  emptyDelta,
  encodeCell,
  encodeDelta,
  type Failure,
  type FileIdentity,
  type Frame,
  type LedgerPosting,
  type MetricDefinition,
  mergeCell,
  type Place,
  type Settlement,
  type SettleResult,
  type Store,
  type StoreOptions,
  type Take,
} from "../../../src/store/index.js";

export const seed: number = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));

/** The store's clock at the start of each test. */
export const startMs: number = Date.UTC(2026, 0, 15, 12);
export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

export const definitions: readonly MetricDefinition[] = [
  { key: "count", name: "count", kind: "count", by: ["by"] },
  { key: "sum", name: "sum", kind: "sum", by: ["by"] },
  { key: "gauge", name: "gauge", kind: "gauge", by: ["by"] },
  { key: "times", name: "times", kind: "distribution", by: ["by"], unit: "ms" },
  { key: "capped", name: "capped", kind: "count", by: ["by"], groupsMax: 3 },
  { key: "flat", name: "flat", kind: "count", by: ["by"], hasSlots: false },
];

export type OpenStore = (options: StoreOptions) => Promise<Store>;

export interface Event {
  readonly metric: string;
  readonly group: string | null;
  readonly atMs: number | undefined;
  readonly value: number;
}

export interface SettleParts {
  readonly events?: readonly Event[];
  readonly delta?: Partial<Delta>;
  readonly file?: string;
  readonly failures?: readonly Failure[];
  readonly posting?: Partial<LedgerPosting>;
  readonly generation?: string;
}

/** One store with a clock that stands still, and the file offsets that were settled so far. */
export class Lab {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly generation: string;
  readonly #offsets = new Map<string, number>();

  private constructor(store: Store, clock: ManualClock, generation: string) {
    this.store = store;
    this.clock = clock;
    this.generation = generation;
  }

  static async open(
    test: TestContext | undefined,
    open: OpenStore,
    options: StoreOptions = {},
  ): Promise<Lab> {
    const clock = new ManualClock(startMs);
    const store = await open({ clock, ...options });
    test?.after(() => store[Symbol.asyncDispose]());
    await store.define(definitions);
    return new Lab(store, clock, (await store.info()).generation);
  }

  /** The next range of a file, 100 bytes long, with what it holds. */
  next(parts: SettleParts): Settlement {
    const file = parts.file ?? "a.log";
    const start = this.#offsets.get(file) ?? 0;
    const failures = parts.failures ?? [];
    const events = parts.events ?? [];
    return {
      generation: parts.generation ?? this.generation,
      take: fileTake(file, start, start + 100),
      delta: encodeDelta({ ...deltaOf(events), ...parts.delta }),
      failures,
      ledger: [
        posting({
          accepted: events.length + failures.length,
          settled: events.length,
          dead: failures.filter(({ disposition }) => disposition === "dead").length,
          retrying: failures.filter(({ disposition }) => disposition === "attempt").length,
          bytes: 100,
          ...parts.posting,
        }),
      ],
    };
  }

  async settle(parts: SettleParts): Promise<number> {
    const settlement = this.next(parts);
    const version = versionOf(await this.store.settle(settlement));
    this.passed(settlement.take);
    return version;
  }

  passed(take: Take): void {
    if (take.kind === "file") this.#offsets.set(take.file, take.end);
  }

  /** All that can be read, as text: equal exactly when nothing readable differs. */
  async picture(): Promise<string> {
    const { store } = this;
    const info = await store.info();
    const parts: unknown[] = [info.version, info.dataClockMs, info.stateBytes];
    for (const { key } of definitions)
      for (const span of ["total", { fromMs: -8e15, toMs: 8e15 }] as const)
        parts.push(await groupsOf(store, key, span), {
          ...(await store.read({ metric: key, span })),
          groups: 0,
        });
    const { items, ...rest } = await store.deadLetters({ limit: 1_000 });
    for (const { bytes, ...letter } of items) parts.push(letter, Buffer.from(bytes).toString("hex"));
    parts.push(rest, await store.ledger(), await store.watermarks("s"));
    return JSON.stringify(parts);
  }

  async total(metric: string, group: string | null): Promise<number> {
    const page = await this.store.read({ metric, span: "total", group: [group] });
    return amountOf(page.groups[0]?.cells[0]?.cell);
  }

  /** Start (before the clock's start), width and amount of each slot. */
  async slots(metric: string, group: string | null): Promise<readonly (readonly [number, number, number])[]> {
    const page = await this.store.read({ metric, span: { fromMs: -8e15, toMs: 8e15 }, group: [group] });
    return (page.groups[0]?.cells ?? []).map(({ startMs, widthMs, cell }) => [
      startMs,
      widthMs,
      amountOf(cell),
    ]);
  }

  async ledgerOf(source = "s"): Promise<Record<string, unknown>> {
    const row = (await this.store.ledger()).find((row) => row.source === source);
    return { ...row };
  }
}

/** Every group over all pages: its name, and its cells as hexadecimal bytes. */
export async function groupsOf(
  store: Store,
  metric: string,
  span: "total" | { readonly fromMs: number; readonly toMs: number },
  cellsMax?: number,
): Promise<readonly unknown[]> {
  const groups: unknown[] = [];
  let after: string | undefined;
  do {
    const page = await store.read({
      metric,
      span,
      ...(cellsMax === undefined ? {} : { cellsMax }),
      ...(after === undefined ? {} : { after }),
    });
    for (const { group, isOverflow, cells } of page.groups)
      groups.push([
        group,
        isOverflow,
        cells.map(({ startMs, widthMs, cell }) => [startMs, widthMs, hexOf(cell)]),
      ]);
    after = page.next;
  } while (after !== undefined);
  return groups;
}

export function hexOf(cell: Cell): string {
  const writer = new ByteWriter();
  encodeCell(writer, cell);
  return Buffer.from(writer.finish()).toString("hex");
}

/** What the cell says in one number: its sum where it has one, else its count. */
export function amountOf(cell: Cell | undefined): number {
  if (cell === undefined) return 0;
  if (cell.kind === "sum") return cell.sum.value();
  if (cell.kind === "distribution") return cell.histogram.sum;
  return cell.kind === "gauge" ? cell.value : cell.n;
}

export function versionOf(result: SettleResult): number {
  assert.equal(result.kind, "settled");
  return (result as Extract<SettleResult, { kind: "settled" }>).version;
}

/** One cell for each metric, group and second. */
export function deltaOf(events: readonly Event[]): Delta {
  const byCell = new Map<string, { readonly metric: string; readonly change: CellChange }>();
  for (const [index, event] of events.entries()) {
    const { metric, group, atMs } = event;
    const slotMs = atMs === undefined ? undefined : Math.floor(atMs / secondMs) * secondMs;
    const key = JSON.stringify([metric, group, slotMs]);
    const cell = cellOf(event, index);
    const known = byCell.get(key);
    const slot = slotMs === undefined ? undefined : { startMs: slotMs, widthMs: secondMs };
    if (known === undefined) byCell.set(key, { metric, change: { group: [group], slot, cell } });
    else mergeCell(known.change.cell, cell);
  }
  const add = definitions.map(({ key, kind }) => ({
    metric: key,
    kind,
    changes: [...byCell.values()].filter(({ metric }) => metric === key).map(({ change }) => change),
  }));
  const times = events.map(({ atMs }) => atMs).filter((atMs) => atMs !== undefined);
  return {
    ...emptyDelta,
    newestMs: times.length === 0 ? undefined : Math.max(...times),
    add: add.filter(({ changes }) => changes.length > 0),
  };
}

function cellOf({ metric, value, atMs }: Event, index: number): Cell {
  const kind: CellKind = definitions.find(({ key }) => key === metric)?.kind ?? "count";
  if (kind === "count") return { kind, n: 1 };
  if (kind === "gauge") return { kind, n: 1, value, atMs: atMs ?? 0, source: "s", place: index, index: 0 };
  if (kind === "sum") {
    const sum = new ExactSum();
    sum.add(value);
    return { kind, n: 1, sum };
  }
  const histogram = new Histogram();
  histogram.record(value);
  return { kind, histogram };
}

export function counted(group: string | null, atMs: number | undefined = startMs, metric = "count"): Event {
  return { metric, group, atMs, value: 1 };
}

export function fileTake(file: string, start: number, end: number): Take {
  const identity: FileIdentity = {
    path: `/logs/${file}`,
    device: "1",
    inode: file,
    prefixLength: 0,
    prefixHash: "",
    size: end,
  };
  return { kind: "file", source: "s", file, start, end, identity };
}

export function posting(figures: Partial<LedgerPosting>): LedgerPosting {
  const zeros = { accepted: 0, settled: 0, dropped: 0, dead: 0, retrying: 0, duplicate: 0, bytes: 0 };
  return { source: "s", ...zeros, lost: {}, absent: {}, ...figures };
}

export function failure(offset: number, parts: Partial<Failure> = {}): Failure {
  const at: Place = { kind: "file", file: "a.log", path: "/logs/a.log", offset, length: 4, index: 0 };
  const bytes = Buffer.from("oops");
  return {
    source: "s",
    at,
    bytes,
    length: bytes.length,
    reason: "parse",
    message: "Cannot parse",
    disposition: "dead",
    ...parts,
  };
}

export function frame(sequence: number, parts: Partial<Frame> = {}): Frame {
  const payload = Buffer.from(`{"n":${sequence}}\n`);
  return { source: "web", producer: "p", epoch: "e", sequence, events: 1, payload, ...parts };
}
