import { closeSync, openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { seededRandom } from "./feed.js";
import { isProgram } from "./is-program.js";

/** What the lines made so far hold: the truth that a pipeline's numbers are compared with. */
export interface OrderOracle {
  readonly lines: number;
  readonly bytes: number;
  readonly byStatus: ReadonlyMap<string, number>;
  readonly byCoin: ReadonlyMap<string, number>;
  /** By `status coin`; neither contains a space. */
  readonly byStatusAndCoin: ReadonlyMap<string, number>;
}

export interface OrderLinesOptions {
  /** The same seed and calls make the same bytes. */
  readonly seed: number;
  /** Time of the first line. @default 2025-11-16T08:00:00Z */
  readonly startMs?: number;
  /** How fast event time advances. @default 20,000 */
  readonly linesPerS?: number;
}

/** Weights as seen on a busy node: mostly orders that come and go. */
const statuses: readonly (readonly [name: string, weight: number])[] = [
  ["open", 4_300],
  ["canceled", 3_600],
  ["filled", 900],
  ["badAloPxRejected", 420],
  ["iocCancelRejected", 260],
  ["perpMarginRejected", 180],
  ["reduceOnlyRejected", 90],
  ["minTradeNtlRejected", 80],
  ["triggered", 60],
  ["selfTradeCanceled", 40],
  ["marginCanceled", 30],
  ["siblingFilledCanceled", 20],
  ["scheduledCancel", 12],
  ["insufficientSpotBalanceRejected", 8],
];

const coins: readonly string[] = (
  "BTC ETH SOL HYPE XRP DOGE @107 FARTCOIN SUI PURR/USDC kPEPE ENA LINK AVAX PUMP xyz:XYZ100 BNB WLD ADA AAVE " +
  "LTC UNI APT @142 TIA SEI ARB OP INJ WCT JUP ONDO NEAR CRV TAO TON kBONK PENDLE xyz:NVDA @151"
).split(" ");

const templatesMax = 4_096;
const usersMax = 400;
const clockText = "2025-11-16T08:00:00.000000000";

interface Template {
  readonly bytes: Buffer;
  /** Where the nanosecond time, the order's id (12 digits) and its time in milliseconds (13 digits) stand. */
  readonly timeAt: number;
  readonly idAt: number;
  readonly placedAt: number;
  /** How long before the line the order was placed. */
  readonly ageMs: number;
  readonly status: string;
  readonly coin: string;
}

/**
 * Lines as a node writes them for each change of an order, about 400 bytes each, with event time advancing at
 * nanoseconds. Made from templates, so that a file of many gigabytes is written about as fast as the disk takes it.
 */
export class OrderLines {
  readonly #random: () => number;
  readonly #templates: readonly Template[];
  readonly #counts = new Float64Array(templatesMax);
  readonly #stepNs: number;
  #secondMs: number;
  #nanosecond = 0;
  #clock: Buffer;
  #id = 105_000_000_000;
  #bytes = 0;
  #lines = 0;

  constructor(options: OrderLinesOptions) {
    this.#random = seededRandom(options.seed);
    this.#templates = Array.from({ length: templatesMax }, () => makeTemplate(this.#random));
    this.#stepNs = Math.round(1e9 / (options.linesPerS ?? 20_000));
    this.#secondMs = options.startMs ?? Date.UTC(2025, 10, 16, 8);
    this.#clock = clockOf(this.#secondMs);
  }

  /** Time of the newest line, in milliseconds. */
  get newestMs(): number {
    return this.#secondMs + Math.floor(this.#nanosecond / 1e6);
  }

  /** Whole lines, at most `bytesMax` of them and at least one line. */
  next(bytesMax: number): Buffer {
    const chunk = Buffer.allocUnsafe(Math.max(bytesMax, 1_024));
    let length = 0;
    do {
      const index = Math.floor(this.#random() * templatesMax);
      const template = this.#templates[index]!;
      if (length > 0 && length + template.bytes.length > bytesMax) break;
      template.bytes.copy(chunk, length);
      this.#stamp(chunk, length, template);
      this.#counts[index]! += 1;
      this.#lines += 1;
      length += template.bytes.length;
    } while (length < bytesMax);
    this.#bytes += length;
    return chunk.subarray(0, length);
  }

  oracle(): OrderOracle {
    const byStatus = new Map<string, number>();
    const byCoin = new Map<string, number>();
    const byStatusAndCoin = new Map<string, number>();
    for (const [index, { status, coin }] of this.#templates.entries()) {
      const count = this.#counts[index]!;
      if (count === 0) continue;
      for (const [tally, key] of [
        [byStatus, status],
        [byCoin, coin],
        [byStatusAndCoin, `${status} ${coin}`],
      ] as const)
        tally.set(key, (tally.get(key) ?? 0) + count);
    }
    return { lines: this.#lines, bytes: this.#bytes, byStatus, byCoin, byStatusAndCoin };
  }

  #stamp(chunk: Buffer, start: number, template: Template): void {
    this.#nanosecond += this.#stepNs;
    if (this.#nanosecond >= 1e9) {
      this.#nanosecond -= 1e9;
      this.#secondMs += 1_000;
      this.#clock = clockOf(this.#secondMs);
    }
    this.#clock.copy(chunk, start + template.timeAt);
    writeDigits(chunk, start + template.timeAt + 20, 9, this.#nanosecond);
    this.#id += 1 + (this.#nanosecond & 3);
    writeDigits(chunk, start + template.idAt, 12, this.#id);
    writeDigits(chunk, start + template.placedAt, 13, this.newestMs - template.ageMs);
  }
}

/** Writes a new file of about `bytes` bytes. */
export function writeOrderFile(path: string, bytes: number, options: OrderLinesOptions): OrderOracle {
  const lines = new OrderLines(options);
  const descriptor = openSync(path, "w");
  for (let left = bytes; left > 0; ) {
    const chunk = lines.next(Math.min(left, 4 * 1024 * 1024));
    for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
    left -= chunk.length;
    if (left < 1_024) break;
  }
  closeSync(descriptor);
  return lines.oracle();
}

function clockOf(secondMs: number): Buffer {
  return Buffer.from(new Date(secondMs).toISOString().slice(0, 20), "latin1");
}

function writeDigits(into: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i -= 1) {
    const tenth = Math.floor(rest / 10);
    into[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
}

function makeTemplate(random: () => number): Template {
  const status = pickStatus(random);
  // Squared, so that the first coins of the list have most of the orders.
  const coin = coins[Math.floor(random() ** 2 * coins.length)]!;
  const size = decimal(random, 3, 1);
  const text = `${JSON.stringify({
    time: clockText,
    user: hex(seededRandom(1 + Math.floor(random() * usersMax)), 40),
    hash: hex(random, 64),
    builder: null,
    status,
    order: {
      coin,
      side: random() < 0.5 ? "A" : "B",
      limitPx: decimal(random, 5, 3),
      sz: status === "filled" ? "0.0" : size,
      oid: 100_000_000_000,
      timestamp: 1_000_000_000_000,
      triggerCondition: "N/A",
      isTrigger: false,
      triggerPx: "0.0",
      children: [],
      isPositionTpsl: false,
      reduceOnly: random() < 0.1,
      orderType: "Limit",
      origSz: size,
      tif: random() < 0.7 ? "Alo" : "Gtc",
      cloid: random() < 0.4 ? hex(random, 32) : null,
    },
  })}\n`;
  return {
    bytes: Buffer.from(text),
    timeAt: text.indexOf(clockText),
    idAt: text.indexOf("100000000000"),
    placedAt: text.indexOf("1000000000000,"),
    ageMs: Math.floor(random() * 30_000),
    status,
    coin,
  };
}

function pickStatus(random: () => number): string {
  const total = statuses.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random() * total;
  return (statuses.find(([, weight]) => (left -= weight) < 0) ?? statuses[0]!)[0];
}

function decimal(random: () => number, digits: number, places: number): string {
  return (random() * 10 ** (1 + Math.floor(random() * digits)) + 0.1).toFixed(places);
}

function hex(random: () => number, digits: number): string {
  let text = "0x";
  while (text.length < digits + 2) text += Math.floor(random() * 16).toString(16);
  return text;
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** `300MB`, `1.5 GiB`, `1000`: in bytes. @throws RangeError */
export function parseSize(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  const unit = units[(match?.[2] || "B").toUpperCase()];
  if (match === null || unit === undefined)
    throw new RangeError(`Cannot read size ${text}: expected 300MB or 2GiB`);
  return Math.round(Number(match[1]) * unit);
}

/** `node order-lines.js --size 500MB --out FILE [--seed N]` writes the file and prints its oracle. */
function main(): void {
  const { values } = parseArgs({
    options: {
      size: { type: "string", default: "300MB" },
      seed: { type: "string", default: "1" },
      out: { type: "string" },
    },
  });
  if (values.out === undefined) throw new RangeError("Cannot write order lines: --out FILE is missing");
  const oracle = writeOrderFile(values.out, parseSize(values.size), { seed: Number(values.seed) });
  const plain = {
    ...oracle,
    byStatus: Object.fromEntries(oracle.byStatus),
    byCoin: Object.fromEntries(oracle.byCoin),
  };
  process.stdout.write(`${JSON.stringify({ ...plain, byStatusAndCoin: undefined })}\n`);
}

if (isProgram(import.meta.url)) main();
