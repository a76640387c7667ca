import { appendFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { OrderLines, OrderOracle } from "../kit/order-lines.js";

/** A file of order lines that somebody writes to: in pieces that end anywhere, renamed away now and then. */
export class OrderFeed {
  readonly #lines: OrderLines;
  readonly #random: () => number;
  readonly #path: string;
  /** The unwritten rest of a line that was begun. */
  #rest = Buffer.alloc(0);
  #rotations = 0;
  #bytes = 0;

  constructor(directory: string, lines: OrderLines, random: () => number) {
    mkdirSync(directory, { recursive: true });
    this.#path = join(directory, "orders.jsonl");
    this.#lines = lines;
    this.#random = random;
  }

  /** Bytes written so far, over all files. */
  get bytes(): number {
    return this.#bytes;
  }

  get rotations(): number {
    return this.#rotations;
  }

  /** What is in the files; the last line may still be without its end. */
  oracle(): OrderOracle {
    return this.#lines.oracle();
  }

  /** Appends about `bytes` bytes, most often ending in the middle of a line. */
  append(bytes: number): void {
    const fresh = Buffer.concat([this.#rest, this.#lines.next(bytes)]);
    const kept = Math.floor(this.#random() * 300);
    this.#write(fresh.subarray(0, fresh.length - kept));
    this.#rest = Buffer.from(fresh.subarray(fresh.length - kept));
  }

  /** Ends the last line. */
  finish(): void {
    this.#write(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  /** Renames the file away and begins another one, as logrotate does; the last line is ended before. */
  rotate(): void {
    this.finish();
    if (!existsSync(this.#path)) return;
    this.#rotations += 1;
    renameSync(this.#path, `${this.#path}.${this.#rotations}`);
    appendFileSync(this.#path, "");
  }

  #write(bytes: Uint8Array): void {
    appendFileSync(this.#path, bytes);
    this.#bytes += bytes.length;
  }
}
