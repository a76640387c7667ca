import assert from "node:assert/strict";
import { mkdtempSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ManualClock, type Notice } from "../base/index.js";
import type { Watermark } from "../store/index.js";
import type { FileRange, TailOptions } from "./contract.js";
import { FileTail } from "./tail.js";

/** Hints that never come: what a test sees is found by looking alone. */
const noHints = (): { watch(): void; close(): void } => ({ watch() {}, close() {} });

/** A directory that goes with the test. */
export function testDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-tail-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Taken {
  readonly range: FileRange;
  readonly bytes: Buffer;
}

/** What a store would keep of the ranges that were settled, and the bytes that came with them. */
export class Reader {
  readonly clock: ManualClock = new ManualClock(1_700_000_000_000);
  readonly notices: Notice[] = [];
  readonly watermarks: Map<string, Watermark> = new Map();
  /** Bytes settled of each file id, in order. */
  readonly settled: Map<string, Buffer[]> = new Map();
  readonly taken: Taken[] = [];
  #tail: FileTail | undefined;
  readonly #options: Omit<TailOptions, "source" | "watermarks">;

  constructor(options: Omit<TailOptions, "source" | "watermarks">) {
    this.#options = options;
  }

  get tail(): FileTail {
    assert.ok(this.#tail, "open() comes first");
    return this.#tail;
  }

  async open(): Promise<void> {
    this.#tail = await FileTail.open(
      {
        clock: this.clock,
        notices: (notice) => this.notices.push(notice),
        ...this.#options,
        source: "test",
        watermarks: [...this.watermarks.values()],
      },
      noHints,
    );
  }

  async close(): Promise<void> {
    await this.#tail?.close();
  }

  /** Looks, then takes and settles all there is; answers the new bytes as text. */
  async read(): Promise<string> {
    await this.tail.look();
    return this.drain();
  }

  async drain(): Promise<string> {
    const all: Buffer[] = [];
    for (;;) {
      const range = await this.tryNext();
      if (range === undefined) return Buffer.concat(all).toString("latin1");
      all.push(this.settle(range));
    }
  }

  /** A range if there is one now. */
  async tryNext(): Promise<FileRange | undefined> {
    const stop = new AbortController();
    const next = this.tail.next(stop.signal).catch(() => undefined);
    const isIdle = await Promise.race([next.then(() => false), this.tail.idle().then(() => true)]);
    if (isIdle) stop.abort();
    return next;
  }

  settle(range: FileRange): Buffer {
    const bytes = range.kind === "lines" ? readRange(range) : Buffer.alloc(0);
    const stored = this.watermarks.get(range.file)?.offset ?? 0;
    assert.equal(range.start, stored, "a range starts at its file's watermark");
    const { file, end: offset, identity } = range;
    this.watermarks.set(file, { file, offset, identity, settledMs: this.clock.now() });
    this.settled.set(file, [...(this.settled.get(file) ?? []), bytes]);
    this.taken.push({ range, bytes });
    this.tail.settled(range);
    return bytes;
  }

  noticed(name: string): readonly Notice[] {
    return this.notices.filter((notice) => notice.name === name);
  }
}

export function readRange(range: FileRange): Buffer {
  const bytes = Buffer.alloc(range.end - range.start);
  const length = readSync(range.descriptor, bytes, 0, bytes.length, range.start);
  return bytes.subarray(0, length);
}
