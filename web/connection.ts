import type { WireFrame, WireRefusal } from "../src/server/index.js";
import { windowName } from "../src/server/text.js";

/** Nothing heard for this long means that the numbers are not live. */
const silentMsMax = 3000;
const pollMs = 5000;
const retryMsMax = 4000;
/** A page that nobody sees lets go of its connection after this long. */
const hiddenMsMax = 60_000;

export type Liveness =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "polling"; readonly reason: string }
  | { readonly kind: "stale"; readonly reason: string }
  | { readonly kind: "paused" };

/**
 * Keeps the page supplied: by WebSocket, and while that is not to be had by asking every 5 s. Comes back by itself, and always knows
 * in words why it is not live.
 */
export class Connection {
  readonly #onFrame: (frame: WireFrame) => boolean;
  readonly #onLiveness: () => void;
  #windowMs: number | null;
  #socket: WebSocket | undefined;
  #wasOpen = false;
  #failures = 0;
  #heardMs = performance.now();
  #liveness: Liveness = { kind: "connecting" };
  #reason = "";
  #retryTimer = 0;
  #hiddenTimer = 0;

  constructor(options: {
    windowMs: number | null;
    onFrame: (frame: WireFrame) => boolean;
    onLiveness: () => void;
  }) {
    this.#windowMs = options.windowMs;
    this.#onFrame = options.onFrame;
    this.#onLiveness = options.onLiveness;
  }

  get liveness(): Liveness {
    return this.#liveness;
  }

  /** Since anything was heard from the server. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  start(): void {
    this.#connect();
    window.setInterval(() => this.#watch(), 250);
    window.setInterval(() => void this.#poll(), pollMs);
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    window.addEventListener("online", () => this.#retryNow());
  }

  chooseWindow(windowMs: number | null): void {
    this.#windowMs = windowMs;
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ type: "window", windowMs }));
    else void this.#poll();
  }

  #connect(): void {
    window.clearTimeout(this.#retryTimer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws?window=${windowName(this.#windowMs)}`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(socket, String(data));
    socket.onclose = ({ code }) => this.#onClose(socket, code);
  }

  #onMessage(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    const message = JSON.parse(text) as WireFrame | WireRefusal;
    this.#heardMs = performance.now();
    this.#failures = 0;
    this.#wasOpen = true;
    if (message.type === "refusal") return;
    this.#become({ kind: "live" });
    if (!this.#onFrame(message)) socket.send('{"type":"snapshot"}');
  }

  #onClose(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    if (this.#liveness.kind === "paused") return;
    this.#failures += 1;
    if (code === 1001) this.#reason = "the server was stopped";
    else if (code === 4001) this.#reason = "this page could not keep up";
    else if (this.#wasOpen) this.#reason = "the connection was lost";
    else this.#reason = "no WebSocket to the server; is a proxy in between?";
    this.#become({ kind: "stale", reason: this.#reason });
    const waitMs = Math.min(retryMsMax, 250 * 2 ** Math.min(this.#failures, 5));
    // Not all pages at the same moment.
    this.#retryTimer = window.setTimeout(() => this.#connect(), waitMs * (0.75 + Math.random() / 2));
  }

  #watch(): void {
    if (this.#liveness.kind === "live" && this.silentMs > silentMsMax)
      this.#become({ kind: "stale", reason: "the server is silent" });
  }

  async #poll(): Promise<void> {
    if (this.#liveness.kind === "live" || this.#liveness.kind === "paused" || document.hidden) return;
    try {
      const response = await fetch(`/api/v1/snapshot?window=${windowName(this.#windowMs)}`);
      if (response.status === 401)
        return this.#become({ kind: "stale", reason: "the token is no longer valid: reload to sign in" });
      if (!response.ok)
        return this.#become({
          kind: "stale",
          reason: `the server answers with an error (${response.status})`,
        });
      const frame = (await response.json()) as WireFrame;
      if (this.#isLive()) return;
      this.#heardMs = performance.now();
      this.#onFrame(frame);
      this.#become({ kind: "polling", reason: this.#reason });
    } catch {
      // Nobody answers at all; the closed socket has said so or soon will.
      if (!this.#isLive() && this.silentMs > silentMsMax)
        this.#become({ kind: "stale", reason: this.#reason || "the server does not answer" });
    }
  }

  #isLive(): boolean {
    return this.#liveness.kind === "live";
  }

  #onVisibility(): void {
    window.clearTimeout(this.#hiddenTimer);
    if (!document.hidden) {
      this.#retryNow();
      return;
    }
    this.#hiddenTimer = window.setTimeout(() => {
      this.#become({ kind: "paused" });
      window.clearTimeout(this.#retryTimer);
      this.#socket?.close();
    }, hiddenMsMax);
  }

  #retryNow(): void {
    if (this.#socket !== undefined) return;
    if (this.#liveness.kind === "paused") this.#become({ kind: "connecting" });
    this.#connect();
  }

  #become(liveness: Liveness): void {
    this.#liveness = liveness;
    this.#onLiveness();
  }
}
