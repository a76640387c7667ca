import { type Clock, OptionError, systemClock } from "../../base/index.js";
import { DecayedMean } from "./decayed-mean.js";
import { DecayedWaits } from "./decayed-waits.js";
import { type LimitExplanation, type LimitTerms, limitSentence } from "./limit-explanation.js";

export interface AdaptiveLimitOptions {
  /** Never less, in milliseconds (from 1). */
  readonly floorMs: number;
  /** Never more, in milliseconds (from the floor to 24 h). */
  readonly ceilingMs: number;
  /** Limit until enough waits are known. @default ceilingMs */
  readonly initialMs?: number;
  /** How much longer than the slowest usual wait (1..100). @default 3 */
  readonly margin?: number;
  /** After this time a wait counts half, in milliseconds (from 1). @default 600_000 */
  readonly halfLifeMs?: number;
  /** Recent waits needed before the limit follows them (1..1_000_000). @default 100 */
  readonly samplesMin?: number;
  /** Each limit is longer by a random share up to this one, so that waiters do not give up in step (0..0.5). @default 0.1 */
  readonly jitter?: number;
  /** 0 up to 1. @default Math.random */
  readonly random?: () => number;
  readonly clock?: Pick<Clock, "monotonicMs">;
  /** Told when the limit of an empty queue is another by half or more than when it was last told. */
  readonly onChange?: (explanation: LimitExplanation) => void;
}

/** What a waiter finds when it joins. */
export interface WaitSituation {
  /** Waiters before this one. */
  readonly queueAhead: number;
  /** How much longer the holder is expected to hold; 0 when unknown. */
  readonly residualHoldMs: number;
}

const slowestUsual = 0.99;
const dayMs = 86_400_000;
/** What is known is looked at again after so many waits or this part of a half-life, since that takes longer than anything else here. */
const refreshEvery = 16;
const refreshAfter = 1 / 64;
/** Deviations above the mean, as in the retransmission timer of TCP (RFC 6298). */
const deviations = 4;
/** Change of the limit that is told. */
const toldRatio = 1.5;

const emptyQueue: WaitSituation = { queueAhead: 0, residualHoldMs: 0 };

/**
 * How long to wait for a class of locks in one mode, learnt from how long waits took.
 *
 *     limit = margin × max(q99 of recent waits, residual hold + holds of those ahead)
 *
 * - Never below the floor, never above the ceiling; until `samplesMin` waits are known, and again when they have faded, the initial limit.
 * - A wait that was given up counts as "that long or longer", and the next limit is at least twice the one that ran out, fading by half
 *   each half-life. Otherwise only waits that fit the limit would be counted, and the limit would creep down.
 * - Longer waits are followed within a few hundredths of a half-life, shorter ones in about seven: giving up too early is the worse mistake.
 * - About 1.2 KB.
 */
export class AdaptiveLimit {
  readonly #floorMs: number;
  readonly #ceilingMs: number;
  readonly #initialMs: number;
  readonly #margin: number;
  readonly #halfLifeMs: number;
  readonly #samplesMin: number;
  readonly #jitter: number;
  readonly #random: () => number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #onChange: ((explanation: LimitExplanation) => void) | undefined;
  readonly #waits: DecayedWaits;
  readonly #holds: DecayedMean;
  #samples = 0;
  #slowestUsualMs = Number.NaN;
  #untilRefresh = 0;
  #refreshAtMs = 0;
  #backOffMs = 0;
  #backOffAtMs = 0;
  #toldMs: number;
  #frozenAtMs: number | undefined;

  /** @throws OptionError when an option is outside its range */
  constructor(options: AdaptiveLimitOptions) {
    const { floorMs, ceilingMs, initialMs = ceilingMs, random = Math.random, clock = systemClock } = options;
    this.#floorMs = inRange("floorMs", floorMs, 1, dayMs);
    this.#ceilingMs = inRange("ceilingMs", ceilingMs, floorMs, dayMs);
    this.#initialMs = inRange("initialMs", initialMs, floorMs, ceilingMs);
    this.#margin = inRange("margin", options.margin ?? 3, 1, 100);
    this.#halfLifeMs = inRange("halfLifeMs", options.halfLifeMs ?? 600_000, 1, 30 * dayMs);
    this.#samplesMin = inRange("samplesMin", options.samplesMin ?? 100, 1, 1_000_000);
    this.#jitter = inRange("jitter", options.jitter ?? 0.1, 0, 0.5);
    this.#random = random;
    this.#clock = clock;
    this.#onChange = options.onChange;
    // Below floor / margin and above the ceiling the limit is the same whatever the wait.
    const lowMs = this.#floorMs / this.#margin / 2;
    this.#waits = new DecayedWaits({ lowMs, highMs: 2 * this.#ceilingMs, halfLifeMs: this.#halfLifeMs });
    this.#holds = new DecayedMean(this.#halfLifeMs);
    this.#toldMs = this.#initialMs;
  }

  get isFrozen(): boolean {
    return this.#frozenAtMs !== undefined;
  }

  /** 0 when no hold was observed. */
  get meanHoldMs(): number {
    return this.#holds.mean;
  }

  /** A wait that ended with the lock. `nowMs`: the monotonic clock, for whoever has just read it. */
  observeWait(ms: number, nowMs: number = this.#nowMs()): void {
    if (this.isFrozen || !(ms >= 0)) return;
    this.#waits.addEnded(ms, nowMs);
    this.#untilRefresh -= 1;
  }

  /** A wait that was given up after `limitMs`, whoever had set that limit. */
  observeTimeout(limitMs: number, nowMs: number = this.#nowMs()): void {
    if (this.isFrozen || !(limitMs >= 0)) return;
    this.#waits.addGivenUp(limitMs, nowMs);
    this.#backOffMs = Math.min(this.#ceilingMs, Math.max(this.#backedOffMs(nowMs), 2 * limitMs));
    this.#backOffAtMs = nowMs;
    this.#untilRefresh = 0;
  }

  /** How long one was held; without any the holds of those ahead count nothing. */
  observeHold(ms: number, nowMs: number = this.#nowMs()): void {
    if (this.isFrozen || !(ms >= 0)) return;
    this.#holds.add(ms, nowMs);
  }

  /** Milliseconds that a waiter who joins now should wait; with jitter, so two calls differ. */
  limitFor(situation: WaitSituation, nowMs: number = this.#nowMs()): number {
    if (this.#untilRefresh <= 0 || nowMs >= this.#refreshAtMs) this.#refresh(nowMs);
    const { limitMs } = this.#sum(situation, nowMs);
    if (this.isFrozen || this.#jitter === 0 || !this.#isKnown) return limitMs;
    // Below the ceiling by as much as jitter may add: at the ceiling itself, all would give up in step.
    const spread = 1 + this.#jitter * this.#random();
    return Math.max(this.#floorMs, Math.min(limitMs, this.#ceilingMs / (1 + this.#jitter)) * spread);
  }

  /** How the limit of a waiter who joins now comes about, before jitter. */
  explain(situation: WaitSituation = emptyQueue): LimitExplanation {
    const nowMs = this.#nowMs();
    this.#look(nowMs);
    const sum = this.#sum(situation, nowMs);
    const terms: LimitTerms = {
      ...sum,
      ...situation,
      by: this.#largest(sum),
      isFrozen: this.isFrozen,
      samples: this.#samples,
      samplesMin: this.#samplesMin,
      slowestUsualMs: this.#isKnown ? this.#slowestUsualMs : undefined,
      margin: this.#margin,
      meanHoldMs: this.#holds.mean,
      floorMs: this.#floorMs,
      ceilingMs: this.#ceilingMs,
      jitter: this.#jitter,
    };
    return { ...terms, sentence: limitSentence(terms) };
  }

  /** From now on nothing is learnt or forgotten, and there is no jitter. May be called twice. */
  freeze(): void {
    if (this.isFrozen) return;
    this.#frozenAtMs = this.#clock.monotonicMs();
    this.#look(this.#frozenAtMs);
    this.#untilRefresh = Number.POSITIVE_INFINITY;
    this.#refreshAtMs = Number.POSITIVE_INFINITY;
  }

  get #isKnown(): boolean {
    return this.#samples >= this.#samplesMin;
  }

  #nowMs(): number {
    return this.#frozenAtMs ?? this.#clock.monotonicMs();
  }

  #backedOffMs(nowMs: number): number {
    if (this.#backOffMs === 0) return 0;
    return this.#backOffMs * 2 ** (-Math.max(0, nowMs - this.#backOffAtMs) / this.#halfLifeMs);
  }

  #look(nowMs: number): void {
    this.#samples = this.#waits.samples(nowMs);
    this.#slowestUsualMs = this.#isKnown ? this.#waits.quantile(slowestUsual) : Number.NaN;
  }

  #refresh(nowMs: number): void {
    this.#look(nowMs);
    this.#untilRefresh = this.#isKnown ? refreshEvery : 1;
    this.#refreshAtMs = nowMs + this.#halfLifeMs * refreshAfter;
    if (this.#onChange === undefined) return;
    const ratio = this.#sum(emptyQueue, nowMs).limitMs / this.#toldMs;
    if (ratio < toldRatio && ratio > 1 / toldRatio) return;
    this.#toldMs *= ratio;
    this.#onChange(this.explain());
  }

  #sum({ queueAhead, residualHoldMs }: WaitSituation, nowMs: number): LimitSum {
    const { mean, deviation } = this.#holds;
    // Holds add up, and so do their variances.
    const queueMs =
      Math.max(0, residualHoldMs) + queueAhead * mean + deviations * Math.sqrt(queueAhead) * deviation;
    const backOffMs = this.#backedOffMs(nowMs);
    const learntMs = this.#isKnown ? this.#margin * Math.max(this.#slowestUsualMs, queueMs) : this.#initialMs;
    const wantedMs = Math.max(learntMs, backOffMs);
    const limitMs = Math.min(this.#ceilingMs, Math.max(this.#floorMs, wantedMs));
    return { limitMs, wantedMs, queueMs, backOffMs };
  }

  #largest({ wantedMs, queueMs, backOffMs }: LimitSum): LimitTerms["by"] {
    if (backOffMs === wantedMs) return "timeout";
    if (!this.#isKnown) return "initial";
    return queueMs > this.#slowestUsualMs ? "queue" : "history";
  }
}

type LimitSum = Pick<LimitTerms, "limitMs" | "wantedMs" | "queueMs" | "backOffMs">;

function inRange(option: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new OptionError(option, `Cannot use ${option} = ${String(value)}: expected ${min}..${max}`);
}
