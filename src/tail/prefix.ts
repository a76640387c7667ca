import { PREFIX_BYTES_MAX, prefixHash } from "./identity.js";
import type { ReadAt } from "./planner.js";

/** The first bytes of a content, as far as they were handed out, by which it is known again. */
export class ContentPrefix {
  #bytes: Buffer;
  #hash: string | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get hash(): string {
    this.#hash ??= prefixHash(this.#bytes);
    return this.#hash;
  }

  /**
   * Takes in what [0, end) adds to it; false when it is not there any more. Never more than was handed out: what follows
   * the last complete line may still be taken back by the writer.
   */
  async learn(end: number, read: ReadAt): Promise<boolean> {
    const length = Math.min(PREFIX_BYTES_MAX, end);
    const known = this.#bytes;
    if (known.length >= length) return true;
    const bytes = Buffer.from(await read(0, length));
    if (bytes.length < length || !bytes.subarray(0, known.length).equals(known)) return false;
    this.#bytes = bytes;
    this.#hash = undefined;
    return true;
  }

  async stands(read: ReadAt): Promise<boolean> {
    const known = this.#bytes;
    return known.length === 0 || (await read(0, known.length)).equals(known);
  }

  /** Whether content that starts with `first` can be the same. */
  fits(first: Buffer): boolean {
    const known = this.#bytes.subarray(0, first.length);
    return known.length > 0 && first.subarray(0, known.length).equals(known);
  }
}
