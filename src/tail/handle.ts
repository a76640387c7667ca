import { type BigIntStats, close, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

const openAsync = promisify(open);
const closeAsync = promisify(close);
const readAsync: (
  descriptor: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead: number }> = promisify(read);

/** Not blocking, so that a pipe that took the place of a file between two looks can't hold a thread for ever. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A descriptor shared by all that still read through it; closed when the last lets go, and not before. */
export class Handle {
  readonly descriptor: number;
  #users = 1;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** @throws Node's error (`ENOENT`, `EACCES`, …) */
  static async open(path: string): Promise<Handle> {
    return new Handle(await openAsync(path, OPEN_FLAGS));
  }

  retain(): this {
    this.#users += 1;
    return this;
  }

  /** Resolves when the descriptor is closed, at once while others still use it. */
  async release(): Promise<void> {
    this.#users -= 1;
    // A failing close of a file that was only read loses nothing.
    if (this.#users === 0) await closeAsync(this.descriptor).catch(() => {});
  }

  stat(): Promise<BigIntStats> {
    return new Promise((resolve, reject) => {
      fstat(this.descriptor, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(stats)));
    });
  }

  /** Fills `buffer` from `position`; the result is a view of it, shorter at the end of the file. */
  async read(buffer: Buffer, position: number, length: number): Promise<Buffer> {
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await readAsync(
        this.descriptor,
        buffer,
        filled,
        length - filled,
        position + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
}
