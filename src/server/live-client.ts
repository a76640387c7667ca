import type { Clock } from "../base/index.js";
import { closeCodes } from "./wire.js";

/** The part of a WebSocket that a client needs. */
export interface LiveSocket {
  readonly bufferedAmount: number;
  send(data: Buffer, options: { binary: boolean }): void;
  close(code: number, reason: string): void;
}

export interface LiveClientOptions {
  readonly clock: Clock;
  /** Bytes that may wait for a client, its next frame included. @default 1 MiB */
  readonly bufferedBytesMax?: number;
  /** A client that takes nothing for this long is closed. @default 30,000 */
  readonly slowMsMax?: number;
}

/**
 * One page. A frame that would make more than `bufferedBytesMax` wait is not sent, nor are those after it, until everything
 * sent has left; then the page gets a fresh snapshot. So a slow page costs a bounded amount of memory and slows nobody.
 */
export class LiveClient {
  readonly #socket: LiveSocket;
  readonly #clock: Clock;
  readonly #bufferedBytesMax: number;
  readonly #slowMsMax: number;
  #slowSinceMs: number | undefined;
  #snapshotsWanted = false;
  /** Frames that this client did not get. */
  skipped = 0;

  constructor(socket: LiveSocket, options: LiveClientOptions) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#bufferedBytesMax = options.bufferedBytesMax ?? 1024 * 1024;
    this.#slowMsMax = options.slowMsMax ?? 30_000;
  }

  /** True while the next thing to send must be a snapshot, and can be. */
  get needsSnapshot(): boolean {
    return this.#snapshotsWanted && (this.#slowSinceMs === undefined || this.#socket.bufferedAmount === 0);
  }

  /** The next frame must be a snapshot: changes would not fit to what the page has. */
  wantSnapshot(): void {
    this.#snapshotsWanted = true;
  }

  /** Sends it, unless too much waits already: one snapshot of any size may wait, but not two because a page asks twice. */
  sendSnapshot(frame: Buffer): void {
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount > 0 && bufferedAmount + frame.length > this.#bufferedBytesMax) {
      this.skipped += 1;
      this.#slowSinceMs = this.#clock.monotonicMs();
      return;
    }
    this.#snapshotsWanted = false;
    this.#slowSinceMs = undefined;
    this.#socket.send(frame, { binary: false });
  }

  sendChanges(frame: Buffer): void {
    if (this.#snapshotsWanted) {
      this.skipped += 1;
      this.#closeWhenStuck();
      return;
    }
    if (this.#socket.bufferedAmount + frame.length > this.#bufferedBytesMax) {
      this.skipped += 1;
      this.#snapshotsWanted = true;
      this.#slowSinceMs = this.#clock.monotonicMs();
      return;
    }
    this.#socket.send(frame, { binary: false });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #closeWhenStuck(): void {
    if (this.#slowSinceMs === undefined) return;
    if (this.#clock.monotonicMs() - this.#slowSinceMs < this.#slowMsMax) return;
    this.#slowSinceMs = Number.POSITIVE_INFINITY;
    this.close(closeCodes.tooSlow, "the page reads too slowly");
  }
}
