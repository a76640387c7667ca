import type { ClaimLostReason } from "./errors.js";

export interface ClaimOptions {
  /** Who claims. One owner's next claim of a name takes over from its earlier one, so two tasks that exclude each other need two owners. */
  readonly owner: string;
  /** How long the claim holds without renewal, in milliseconds (10..86,400,000). */
  readonly leaseMs: number;
  /** Limit on waiting for others to end, in milliseconds (0..2,147,483,647); 0 does not wait. @default 30,000 */
  readonly waitMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
  /** Answers `undefined` instead of throwing when others have it until the limit. */
  readonly onTimeout?: "undefined";
}

/** An exclusive right to a name over all processes, as long as its lease is renewed. */
export interface Claim extends AsyncDisposable {
  readonly name: string;
  readonly owner: string;
  /** A safe integer, higher than that of every earlier grant of the name, also after releases and expiries: goes along with each write, for a `TokenGate`. */
  readonly token: number;
  /**
   * Aborts once, with a `ClaimLostError`, when the claim is lost or released; for an expiry ahead of time by a margin. After the event loop was blocked,
   * reading this property is what makes it true at once.
   */
  readonly signal: AbortSignal;
  /** Why it is lost; undefined while it is held. Looks at the clock. */
  readonly lost: ClaimLostReason | undefined;
  /** Until it is given up as expired, in milliseconds; 0 when lost. */
  readonly leftMs: number;
  /** @throws ClaimLostError if it is lost. To be called before each step that must not happen twice, with no `await` between. */
  check(): void;
  /**
   * Extends the lease to `leaseMs` (its own by default), counted from before the request and not from its answer. A claim that is lost stays lost, whatever the answer.
   * @throws ClaimLostError
   * @throws ClaimUnavailableError; the claim holds until its lease ends
   */
  renew(leaseMs?: number): Promise<void>;
  /**
   * Gives it to the next. May be called again, and of a lost claim; only the first call has an effect.
   * @throws ClaimUnavailableError; the claim is lost here all the same, and ends there with its lease
   */
  release(): Promise<void>;
}

/**
 * Grants claims. Guarantees of every implementation, checked by its contract suite:
 * - At most one owner holds a name at a time, by the implementation's clock.
 * - Each grant of a name has a higher token than all before it, for ever.
 * - First come, first served among those who wait; who gives up is stepped over.
 * - Limits are measured on a monotonic clock, from before the request.
 * - A claim that was lost is never taken again by itself.
 */
export interface Claims {
  claim(
    name: string,
    options: ClaimOptions & { readonly onTimeout: "undefined" },
  ): Promise<Claim | undefined>;
  claim(name: string, options: ClaimOptions & { readonly onTimeout?: never }): Promise<Claim>;
  /**
   * @throws ClaimBusyError when others have it and `waitMs` is 0
   * @throws ClaimTimeoutError when others had it until the limit
   * @throws ClaimUnavailableError
   * @throws the signal's reason
   */
  claim(name: string, options: ClaimOptions): Promise<Claim | undefined>;
}
