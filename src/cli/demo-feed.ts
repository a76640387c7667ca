import { appendFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, pause } from "../base/index.js";

export interface DemoFeedOptions {
  readonly folder: string;
  readonly ratePerS: number;
  readonly seed: number;
  /** One line in so many is broken on purpose. */
  readonly brokenEvery: number;
  readonly clock: Clock;
}

/** 20 writes a second look live and cost nothing. */
const tickMs = 50;
/** Files kept: this hour's parts and the ones before, so that a demo left on over night does not fill a disk. */
const filesMax = 3;
const fileBytesMax = 64 * 1024 * 1024;

const coins = ["BTC", "ETH", "SOL", "HYPE", "INJ", "DOGE"];
const statuses: readonly (readonly [string, number])[] = [
  ["open", 0.55],
  ["filled", 0.2],
  ["canceled", 0.19],
  ["badAloPxRejected", 0.04],
  ["marginCanceled", 0.02],
];

/** Made-up orders as an exchange's node would write them, with latencies that come and go in waves. */
export class DemoFeed {
  readonly #options: DemoFeedOptions;
  readonly #random: () => number;
  #count = 0;
  #part = 0;

  constructor(options: DemoFeedOptions) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
  }

  /** Makes the folder and the current file, so that whoever follows them finds something. */
  async prepare(): Promise<void> {
    const { clock, folder } = this.#options;
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, this.#fileName(clock.now())), "");
  }

  /** Writes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, ratePerS } = this.#options;
    await this.prepare();
    const startMs = clock.monotonicMs();
    while (!signal.aborted) {
      const due = Math.floor(((clock.monotonicMs() - startMs) / 1_000) * ratePerS) - this.#count;
      // After a pause of the machine the feed goes on; it does not make up for an hour at once.
      const lines = Math.min(Math.max(due, 0), ratePerS);
      if (due > lines) this.#count += due - lines;
      if (lines > 0) await this.#write(lines);
      await pause(clock, tickMs, signal).catch(() => {});
    }
  }

  async #write(count: number): Promise<void> {
    const { clock, folder } = this.#options;
    let text = "";
    const nowMs = clock.now();
    for (let i = 0; i < count; i += 1) text += `${this.line(nowMs)}\n`;
    const file = join(folder, this.#fileName(nowMs));
    await appendFile(file, text);
    if ((await stat(file)).size < fileBytesMax) return;
    this.#part += 1;
    await this.#tidy();
  }

  /** `orders-20261121-09-1.jsonl`; names sort by age. */
  #fileName(nowMs: number): string {
    const [date, time] = new Date(nowMs).toISOString().split("T") as [string, string];
    return `orders-${date.replaceAll("-", "")}-${time.slice(0, 2)}-${String(this.#part).padStart(3, "0")}.jsonl`;
  }

  async #tidy(): Promise<void> {
    const { folder } = this.#options;
    const files = (await readdir(folder)).filter((name) => name.startsWith("orders-")).sort();
    for (const name of files.slice(0, -filesMax)) await rm(join(folder, name), { force: true });
  }

  /** One line, without its end. */
  line(nowMs: number): string {
    this.#count += 1;
    const order = this.#order(nowMs);
    if (this.#count % this.#options.brokenEvery !== 0) return order;
    return order.slice(0, 20 + Math.floor(this.#random() * (order.length - 30)));
  }

  #order(nowMs: number): string {
    const coin = coins[Math.floor(this.#random() ** 2 * coins.length)] ?? "BTC";
    const priceBase = { BTC: 64_000, ETH: 3_200, SOL: 140, HYPE: 36, INJ: 25, DOGE: 0.12 }[coin] ?? 1;
    const price = priceBase * (1 + 0.01 * this.#normal());
    return JSON.stringify({
      time: new Date(nowMs).toISOString(),
      user: `0x${Math.floor(this.#random() * 400)
        .toString(16)
        .padStart(40, "0")}`,
      status: this.#status(),
      latency_ms: Number(this.#latencyMs(nowMs, coin).toFixed(3)),
      order: {
        coin,
        side: this.#random() < 0.5 ? "A" : "B",
        limitPx: price.toPrecision(6),
        sz: (this.#random() * 100).toFixed(2),
        oid: 12_212_359_592 + this.#count,
      },
    });
  }

  #status(): string {
    let left = this.#random();
    for (const [status, share] of statuses) {
      left -= share;
      if (left < 0) return status;
    }
    return "open";
  }

  /** Lognormal around 40 ms, up and down over two minutes, with one coin slower than the others. */
  #latencyMs(nowMs: number, coin: string): number {
    const wave = 1 + 0.6 * Math.sin((nowMs / 120_000) * 2 * Math.PI);
    const slow = coin === "HYPE" ? 2.5 : 1;
    return 40 * wave * slow * Math.exp(0.5 * this.#normal());
  }

  /** Box and Muller's way from uniform to normal. */
  #normal(): number {
    const u = Math.max(this.#random(), Number.EPSILON);
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.#random());
  }
}

/** Tommy Ettinger's small seeded generator: uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
