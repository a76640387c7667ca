import assert from "node:assert/strict";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { FileRange } from "./contract.js";
import { Reader, readRange, testDirectory } from "./reader.testkit.js";
import { DRAIN_QUIET_MS } from "./roster.js";

const seed = process.env.POUNDLOCK_SEED;
const runs = { numRuns: 100, ...(seed === undefined ? {} : { seed: Number(seed) }) };

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("lines"), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("part"), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("look"), count: fc.constant(1) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("take"), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("settle"), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rewind"), count: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rotate"), count: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate"), count: fc.constant(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("copy"), count: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("recreate"), count: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stop"), count: fc.constant(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("start"), count: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait"), count: fc.integer({ min: 1, max: 3 }) }) },
);

/** What the writer wrote into one content of the file, and whether the reader could have seen all of it. */
interface Written {
  readonly name: number;
  lines: number;
  isWhole: boolean;
  hasPart: boolean;
  isSettled: boolean;
}

function newContent(name: number): Written {
  return { name, lines: 0, isWhole: true, hasPart: false, isSettled: false };
}

/** A writer with its log file, a reader with its store, and what each of them must agree on. */
class World {
  readonly reader: Reader;
  readonly #path: string;
  readonly #contents: Written[] = [];
  readonly #read: string[] = [];
  #taken: { range: FileRange; bytes: Buffer }[] = [];
  #isOpen = false;
  readonly #isGlob: boolean;

  constructor(directory: string, isGlob: boolean) {
    this.#isGlob = isGlob;
    this.#path = join(directory, "app.log");
    this.reader = new Reader({
      patterns: [isGlob ? `${this.#path}*` : this.#path],
      rangeBytesMax: 4096,
      rangesMax: 4,
    });
    this.#create();
  }

  async start(): Promise<void> {
    if (this.#isOpen) return;
    // Before anything is stored, nothing tells a file that was moved away while nobody looked from a stranger.
    for (const content of this.#contents) {
      if (this.#isGlob || content === this.#current || content.isSettled) break;
      content.isWhole = false;
    }
    await this.reader.open();
    this.#isOpen = true;
  }

  async act(kind: string, count: number): Promise<void> {
    if (kind === "lines") for (let i = 0; i < count; i += 1) this.#writeLine();
    else if (kind === "part") this.#writePart(count);
    else if (kind === "rotate") this.#rotate();
    else if (kind === "truncate") this.#truncate();
    else if (kind === "copy") this.#copyAndTruncate();
    else if (kind === "recreate") this.#recreate();
    else if (kind === "start") await this.start();
    else if (kind === "wait") this.reader.clock.advance((count * DRAIN_QUIET_MS) / 2);
    else if (this.#isOpen && kind === "look") await this.reader.tail.look();
    else if (this.#isOpen && kind === "take") for (let i = 0; i < count; i += 1) await this.#take();
    else if (this.#isOpen && kind === "settle") for (let i = 0; i < count; i += 1) this.#settle(0);
    else if (this.#isOpen && kind === "rewind") this.#rewind(count);
    else if (this.#isOpen && kind === "stop") await this.#stop();
  }

  /** Whatever is left is read and settled; each line of a content must have come once, in order. */
  async finish(): Promise<void> {
    await this.start();
    if (this.#current.hasPart) this.#writeLine();
    for (let round = 0; round < 3; round += 1) {
      await this.reader.tail.look();
      while ((await this.#take()) || this.#taken.length > 0) if (this.#taken.length > 0) this.#settle(0);
      this.reader.clock.advance(DRAIN_QUIET_MS);
    }
    await this.reader.close();
    const byContent = new Map<number, number[]>();
    for (const line of this.#read
      .join("\n")
      .split("\n")
      .filter((other) => /^\d+ \d+ €𝄞\r$/.test(other))) {
      const [content = 0, number = 0] = line.split(" ").map(Number);
      byContent.set(content, [...(byContent.get(content) ?? []), number]);
    }
    for (const { name, lines, isWhole } of this.#contents) {
      const numbers = byContent.get(name) ?? [];
      assert.deepEqual(numbers, [...numbers.keys()], `content ${name}: lines once and in order`);
      if (isWhole) assert.equal(numbers.length, lines, `content ${name}: every line`);
    }
  }

  get #current(): Written {
    return this.#contents.at(-1)!;
  }

  #create(): void {
    writeFileSync(this.#path, "");
    this.#contents.push(newContent(this.#contents.length));
  }

  #writeLine(): void {
    const content = this.#current;
    const line = `${content.name} ${content.lines} €𝄞\r\n`;
    // A part that stands there already is the beginning of this line.
    const part = content.hasPart ? `${content.name} ${content.lines} €`.length : 0;
    appendFileSync(this.#path, Buffer.from(line).subarray(part));
    content.lines += 1;
    content.hasPart = false;
  }

  /** Ends in the middle of a character. */
  #writePart(_count: number): void {
    const content = this.#current;
    if (content.hasPart) return;
    const part = `${content.name} ${content.lines} €`;
    appendFileSync(this.#path, Buffer.from(part).subarray(0, part.length));
    content.hasPart = true;
  }

  #shift(): void {
    let last = 1;
    while (existsSync(`${this.#path}.${last}`)) last += 1;
    for (let i = last; i > 1; i -= 1) renameSync(`${this.#path}.${i - 1}`, `${this.#path}.${i}`);
  }

  /** Where only one name is followed, a copy made before anything was read can't be known for what it is. */
  #copyAndTruncate(): void {
    this.#shift();
    copyFileSync(this.#path, `${this.#path}.1`);
    if (!this.#isGlob) this.#current.isWhole = false;
    truncateSync(this.#path);
    this.#contents.push(newContent(this.#contents.length));
  }

  #rotate(): void {
    this.#shift();
    renameSync(this.#path, `${this.#path}.1`);
    this.#create();
  }

  /** What was not handed out before is lost, in any program. */
  #truncate(): void {
    this.#current.isWhole = false;
    truncateSync(this.#path);
    this.#contents.push(newContent(this.#contents.length));
  }

  /** A file that was never looked at, or is deleted while nobody holds it, can't be read. */
  #recreate(): void {
    this.#current.isWhole = false;
    unlinkSync(this.#path);
    this.#create();
  }

  /** Read when taken, as a thread would. */
  async #take(): Promise<boolean> {
    const range = await this.reader.tryNext();
    if (range !== undefined) this.#taken.push({ range, bytes: readRange(range) });
    return range !== undefined;
  }

  #settle(index: number): void {
    const [taken] = this.#taken.splice(index, 1);
    if (taken === undefined) return;
    this.reader.settle(taken.range);
    const text = taken.bytes.toString("utf8");
    this.#read.push(text);
    for (const content of this.#contents) if (text.startsWith(`${content.name} `)) content.isSettled = true;
  }

  #rewind(index: number): void {
    const taken = this.#taken[index];
    if (taken === undefined) return;
    const isVoid = (other: FileRange): boolean =>
      other.file === taken.range.file && other.start >= taken.range.start;
    this.reader.tail.rewind(taken.range, taken.range.start);
    this.#taken = this.#taken.filter((other) => !isVoid(other.range));
  }

  async #stop(): Promise<void> {
    this.#taken = [];
    this.#isOpen = false;
    await this.reader.close();
  }
}

for (const isGlob of [false, true])
  test(`whatever writer and reader do, each line comes once and in order (${isGlob ? "glob" : "one name"})`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const world = new World(testDirectory(t), isGlob);
        await world.start();
        for (const { kind, count } of actions) await world.act(kind, count);
        await world.finish();
      }),
      runs,
    );
  });
