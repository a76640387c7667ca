/**
 * The registry's memory: one SharedArrayBuffer of fixed size, far larger than needed, because pages that nobody has touched cost
 * nothing, and a growable one makes every access 3 to 30 times slower. Places are counted in *units* of 8 bytes: unit u is
 * `f64[u]`, and `i32[2u]`, `i32[2u + 1]`.
 *
 * ```
 * unit 0        64              threads            families         buckets                heap                     end
 *      ┌────────┬───────────────┬──────────────────┬────────────────┬──────────────────────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┐
 *      │ words  │ thread 0      │ family 0: unit   │ chain 0        │ chunks of threads with blocks · series ·       │
 *      │        │ thread 1 …    │ family 1: unit … │ chain 1 …      │ families · rings                               │
 *      └────────┴───────────────┴──────────────────┴────────────────┴──────────────────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┘
 *                │                    Int32 each         BigInt64 each: tag << 32 | first series
 *                ▼
 *      words (Int32) │ slot A │ slot B     what the thread's newest and next record write: `seq`, `count`, cells │ values
 *
 * series   next │ state │ family │ hash │ order │ key bytes │ blocks │ creator │ started (f64) │ listed │ (free) │ key …
 * block    stamp │ owner │ next │ kind │ cells │ tag │ series │ (free) │ current: f64 × cells │ before: f64 × cells
 * ```
 *
 * - A *thread* slot is written by one thread. When that ends, the next new thread goes on with the slot, its blocks and their sums.
 * - A *series* is one set of label values of one metric; its *blocks* hold its numbers, each block written by one thread only, so
 *   that recording needs no compare-and-exchange and shares no cache line. A reader adds the blocks up.
 * - A block's cells exist twice. `stamp` is the epoch in which `current` was first written; `before` is what `current` was until
 *   then. So a reader that has just moved the epoch on finds the numbers of that very moment: `before` in blocks with the new
 *   stamp, `current` in all others (writer.ts says how, and what a record that is half done looks like).
 */
export const layoutVersion = 1;
const magic = 0x506d_0000;
export const signature: number = magic | layoutVersion;

/** Int32 words of the header; what is written often has a cache line (16 words) of its own. */
export const word = {
  signature: 0,
  unitsTotal: 1,
  threadsMax: 2,
  familiesMax: 3,
  chainsCount: 4,
  /** Changes when what a thread remembers about series may be gone. */
  forgotten: 5,
  epoch: 16,
  /** Slot of the thread that takes a snapshot, plus 1; 0 for none. */
  reader: 32,
  /** Rises while that thread is at it. */
  readerProgress: 34,
  /** Who expires series, in the form of `reader`. */
  expirer: 33,
  /** First free unit of the heap. */
  heapNext: 48,
  seriesOrder: 49,
  /** Wall and monotonic time of the registry's start, as doubles. */
  startedWall: 64,
  startedMonotonic: 66,
  /** Defaults of metrics: most series, and idle time in milliseconds as a double, 0 for none. */
  seriesMax: 68,
  idleMs: 70,
  threadsEnded: 80,
  /** Records that a thread had begun and not made when it was killed. */
  recordsLost: 81,
  /** Records that found no memory for their series. */
  recordsDropped: 82,
  seriesExpired: 83,
  /** Rises after a series can be found. */
  seriesListed: 84,
} as const;

export const headerUnits = 64;

/** Int32 words at the start of a thread's slot. */
export const threadWord = {
  state: 0,
  /** Of `node:worker_threads`, plus 1. */
  threadId: 1,
  /** Rises with each thread that takes the slot over. */
  incarnation: 2,
  /** Of the thread that started this one, plus 1; 0 when that is not known. It ends with it. */
  parent: 5,
  /** Owner-only heap: next free unit and end of the chunk. */
  chunkNext: 3,
  chunkEnd: 4,
  /** Sequence of the newest record; stored last, which is what makes the record be. */
  seq: 16,
  /** The epoch of the newest record, and the sequence of the first record in it. */
  entered: 17,
  first: 18,
  /** Heads of free blocks, by kind. */
  free: 32,
} as const;

/** `ended`: the thread has said that it ends, but may still record until it is seen to be gone. */
export const threadState = { free: 0, live: 1, dead: 2, ended: 3 } as const;

/** Cells that one record, or all records of one `together`, may write. */
export const cellsMax = 128;
/** `seq`, `count`, then cells; then as many values. */
const slotWords = 2 + cellsMax;
export const slotHeadWords = 2;
const threadHeadUnits = 32;
export const slotUnits: number = (slotWords >> 1) + cellsMax;
export const slotValuesUnit: number = slotWords >> 1;
/** Rounded up to a cache line. */
export const threadUnits: number = Math.ceil((threadHeadUnits + 2 * slotUnits) / 8) * 8;
export const slotsUnit: number = threadHeadUnits;

/** Int32 words of a series. */
export const seriesWord = {
  next: 0,
  state: 1,
  family: 2,
  hash: 3,
  order: 4,
  keyBytes: 5,
  blocks: 6,
  creator: 7,
  /** 1 once `seriesListed` counts it. */
  listed: 10,
} as const;
export const seriesHeadUnits = 6;
export const seriesStartedUnit = 4;
export const seriesState = { live: 1, idle: 2, freed: 3 } as const;

/** Int32 words of a block. */
export const blockWord = { stamp: 0, owner: 1, next: 2, kind: 3, cells: 4, tag: 5, series: 6 } as const;
export const blockHeadUnits = 4;

/** What a block holds; its cells in order. */
export const blockKind = {
  /** sum, and what rounding took from it. */
  number: 0,
  /** value, time set, incarnation of the thread. */
  gauge: 1,
  /** sum, rest of the sum, min, max, zeros. */
  histogram: 2,
  /** 32 counts of buckets; `tag` says which. */
  page: 3,
  /** number of observations ever; behind the cells a ring of (time, value), and what the ring was before. */
  ring: 4,
  /** slot number, then as `histogram`; `tag` is the place in the ring of slots. */
  slot: 5,
  /** slot number, then as `page`; `tag` names page and place in the ring of slots. */
  slotPage: 6,
} as const;
export type BlockKind = (typeof blockKind)[keyof typeof blockKind];

export const pageCells = 32;

/** Cells of each kind of block. */
export const cellsOf: Readonly<Record<BlockKind, number>> = {
  [blockKind.number]: 2,
  [blockKind.gauge]: 3,
  [blockKind.histogram]: 5,
  [blockKind.page]: pageCells,
  [blockKind.ring]: 1,
  [blockKind.slot]: 6,
  [blockKind.slotPage]: 1 + pageCells,
};
