import type { SourceStatus, WireFrame, WireParts } from "../src/server/index.js";

/** What the page knows: the parts of the newest frames, merged. */
export class PageState {
  parts: WireParts = {};
  windowMs: number | null = null;
  generation = "";
  /** The server's clock at the newest frame, and this browser's. */
  serverMs = 0;
  receivedMs = 0;
  #seq = 0;

  /** False when frames are missing before this one: a snapshot is needed. */
  apply(frame: WireFrame): boolean {
    if (frame.type === "changes" && (frame.seq !== this.#seq + 1 || frame.windowMs !== this.windowMs))
      return false;
    this.parts = frame.type === "snapshot" ? frame.parts : { ...this.parts, ...frame.parts };
    this.#seq = frame.seq;
    this.windowMs = frame.windowMs;
    this.generation = frame.generation;
    this.serverMs = frame.nowMs;
    this.receivedMs = performance.now();
    return true;
  }

  /** The server's clock now, as far as this browser can tell. */
  get nowMs(): number {
    return this.serverMs + (performance.now() - this.receivedMs);
  }

  get status(): SourceStatus | undefined {
    return this.parts.status;
  }
}
