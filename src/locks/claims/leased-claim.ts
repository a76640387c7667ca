import { type Clock, integerOption } from "../../base/index.js";
import type { Claim } from "./claim.js";
import { ClaimLostError, type ClaimLostReason, ClaimUnavailableError } from "./errors.js";

/** What an implementation of claims does for one grant. */
export interface ClaimBackend {
  /** False when the token's claim is no longer there. */
  renew(token: number, leaseMs: number): Promise<boolean>;
  /** Nothing happens if the token's claim is no longer there. */
  release(token: number): Promise<void>;
}

export interface Grant {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
  readonly leaseMs: number;
  /** Monotonic time from before the request that was granted. */
  readonly askedMs: number;
}

/** A tenth of the lease, so that the holder has stopped when the next begins; a second is enough for any. */
const marginMsMax = 1_000;

/** The holder's side of a claim, the same for every implementation: when it ends, and that it ends once. */
export class LeasedClaim implements Claim {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
  readonly #backend: ClaimBackend;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #stop = new AbortController();
  #endsAtMs: number;
  #lost: ClaimLostReason | undefined;
  #stopTimer: () => void;
  #renewing: Promise<void> = Promise.resolve();
  #releasing: Promise<void> | undefined;

  constructor(grant: Grant, backend: ClaimBackend, clock: Clock) {
    this.name = grant.name;
    this.owner = grant.owner;
    this.token = grant.token;
    this.#backend = backend;
    this.#clock = clock;
    this.#leaseMs = grant.leaseMs;
    this.#endsAtMs = endOf(grant.askedMs, grant.leaseMs);
    this.#stopTimer = this.#armed();
  }

  get signal(): AbortSignal {
    this.#look();
    return this.#stop.signal;
  }

  get lost(): ClaimLostReason | undefined {
    this.#look();
    return this.#lost;
  }

  get leftMs(): number {
    return this.lost === undefined ? this.#endsAtMs - this.#clock.monotonicMs() : 0;
  }

  check(): void {
    const reason = this.lost;
    if (reason !== undefined) throw new ClaimLostError(this.name, this.token, reason);
  }

  renew(leaseMs: number = this.#leaseMs): Promise<void> {
    // One after the other, so that the last one asked for is the one that counts, here and at the backend.
    const renewal = this.#renewing.then(() => this.#renew(leaseLimit(leaseMs)));
    this.#renewing = renewal.catch(isCallers);
    return renewal;
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** For an implementation that learns of the loss by itself. */
  revoke(): void {
    this.#lose("taken");
  }

  async #renew(leaseMs: number): Promise<void> {
    this.check();
    const askedMs = this.#clock.monotonicMs();
    const isOurs = await this.#backend.renew(this.token, leaseMs).catch((cause: unknown) => {
      this.check();
      throw new ClaimUnavailableError(this.name, "renew", cause);
    });
    // An answer that comes after the end does not bring the claim back: its holder was told to stop, and others may rely on it.
    if (isOurs && this.lost === "expired") await this.#backend.release(this.token).catch(endsByItself);
    if (!isOurs) this.#lose("taken");
    this.check();
    this.#endsAtMs = endOf(askedMs, leaseMs);
    this.#stopTimer();
    this.#stopTimer = this.#armed();
    this.check();
  }

  async #release(): Promise<void> {
    const wasTaken = this.lost === "taken";
    this.#lose("released");
    if (wasTaken) return;
    // After renewals under way, so that none can come after it.
    await this.#renewing;
    try {
      await this.#backend.release(this.token);
    } catch (cause) {
      throw new ClaimUnavailableError(this.name, "release", cause);
    }
  }

  #armed(): () => void {
    return this.#clock.after(Math.max(0, this.#endsAtMs - this.#clock.monotonicMs()), () => this.#look());
  }

  /** Timers are late when the event loop was blocked; the clock is not. */
  #look(): void {
    if (this.#lost !== undefined) return;
    if (this.#clock.monotonicMs() >= this.#endsAtMs) this.#lose("expired");
  }

  #lose(reason: ClaimLostReason): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#stopTimer();
    this.#stop.abort(new ClaimLostError(this.name, this.token, reason));
  }
}

function endOf(askedMs: number, leaseMs: number): number {
  return askedMs + leaseMs - Math.min(leaseMs / 10, marginMsMax);
}

/** Lease of a claim in milliseconds. @throws OptionError outside 10..86,400,000 */
export function leaseLimit(leaseMs: number): number {
  return integerOption("leaseMs", leaseMs, { default: 0, min: 10, max: 86_400_000 });
}

function isCallers(): void {
  // The caller of `renew` has the error.
}

function endsByItself(): void {
  // The claim is lost here either way, and ends there with its lease.
}
