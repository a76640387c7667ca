import { type Clock, integerOption, OptionError, systemClock } from "../../base/index.js";
import type { Claim, ClaimOptions, Claims } from "./claim.js";
import { ClaimBusyError, ClaimTimeoutError } from "./errors.js";
import { LeasedClaim, leaseLimit } from "./leased-claim.js";

interface Waiter {
  readonly options: ClaimOptions;
  readonly grant: (claim: LeasedClaim) => void;
}

/** One name. It stays for good, because its token must never come again. */
interface Name {
  readonly name: string;
  token: number;
  holder: { readonly claim: LeasedClaim; readonly owner: string; endsAtMs: number } | undefined;
  /** In order of arrival. */
  readonly waiters: Set<Waiter>;
  stopTimer: () => void;
}

/** The most is the longest delay of a timer in Node.js. */
const waitLimits = { default: 30_000, min: 0, max: 2_147_483_647 };

/** Claims within one process: for tests, and for programs that need no other. Keeps a few bytes for each name ever claimed. */
export class MemoryClaims implements Claims {
  readonly #clock: Clock;
  readonly #names = new Map<string, Name>();

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  claim(
    name: string,
    options: ClaimOptions & { readonly onTimeout: "undefined" },
  ): Promise<Claim | undefined>;
  claim(name: string, options: ClaimOptions & { readonly onTimeout?: never }): Promise<Claim>;
  claim(name: string, options: ClaimOptions): Promise<Claim | undefined>;
  async claim(name: string, options: ClaimOptions): Promise<Claim | undefined> {
    if (options.owner === "") throw new OptionError("owner", `Cannot claim ${name}: its owner has no name`);
    leaseLimit(options.leaseMs);
    const waitMs = integerOption("waitMs", options.waitMs, waitLimits);
    options.signal?.throwIfAborted();
    const entry = this.#entry(name);
    this.#look(entry);
    const isOwners = entry.holder?.owner === options.owner;
    if (isOwners || entry.holder === undefined) return this.#grant(entry, options);
    const claim = waitMs === 0 ? undefined : await this.#wait(entry, options, waitMs);
    if (claim !== undefined || options.onTimeout === "undefined") return claim;
    throw waitMs === 0 ? new ClaimBusyError(name) : new ClaimTimeoutError(name, waitMs);
  }

  #entry(name: string): Name {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const entry: Name = { name, token: 0, holder: undefined, waiters: new Set(), stopTimer: () => undefined };
    this.#names.set(name, entry);
    return entry;
  }

  #grant(entry: Name, options: ClaimOptions): LeasedClaim {
    const askedMs = this.#clock.monotonicMs();
    const { owner, leaseMs } = options;
    entry.token += 1;
    const grant = { name: entry.name, owner, token: entry.token, leaseMs, askedMs };
    const claim = new LeasedClaim(
      grant,
      {
        renew: (token, renewedMs) => Promise.resolve(this.#renew(entry, token, renewedMs)),
        release: (token) => Promise.resolve(this.#release(entry, token)),
      },
      this.#clock,
    );
    const former = entry.holder?.claim;
    entry.holder = { claim, owner, endsAtMs: askedMs + leaseMs };
    this.#arm(entry);
    // Last, because whoever listens to its signal may call back.
    former?.revoke();
    return claim;
  }

  #renew(entry: Name, token: number, leaseMs: number): boolean {
    this.#look(entry);
    if (entry.holder?.claim.token !== token) return false;
    entry.holder.endsAtMs = this.#clock.monotonicMs() + leaseMs;
    this.#arm(entry);
    return true;
  }

  #release(entry: Name, token: number): void {
    if (entry.holder?.claim.token !== token) return;
    entry.holder = undefined;
    this.#next(entry);
  }

  /** Ends a claim whose lease is over, and lets the next in. */
  #look(entry: Name): void {
    if (entry.holder === undefined || this.#clock.monotonicMs() < entry.holder.endsAtMs) return;
    entry.holder = undefined;
    this.#next(entry);
  }

  #next(entry: Name): void {
    entry.stopTimer();
    const [first] = entry.waiters;
    if (first === undefined) return;
    entry.waiters.delete(first);
    first.grant(this.#grant(entry, first.options));
  }

  #arm(entry: Name): void {
    entry.stopTimer();
    const endsAtMs = entry.holder?.endsAtMs ?? 0;
    const leftMs = Math.max(0, endsAtMs - this.#clock.monotonicMs());
    // Only for those who wait: a claim that nobody wants should not keep the process alive.
    entry.stopTimer =
      entry.waiters.size === 0 ? () => undefined : this.#clock.after(leftMs, () => this.#look(entry));
  }

  /** Undefined at the limit. */
  #wait(entry: Name, options: ClaimOptions, waitMs: number): Promise<LeasedClaim | undefined> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stopTimer();
        options.signal?.removeEventListener("abort", onAbort);
        entry.waiters.delete(waiter);
        if (entry.waiters.size === 0) entry.stopTimer();
      };
      const waiter: Waiter = {
        options,
        grant: (claim) => {
          leave();
          resolve(claim);
        },
      };
      const onAbort = (): void => {
        leave();
        reject(options.signal?.reason);
      };
      const stopTimer = this.#clock.after(waitMs, () => {
        leave();
        resolve(undefined);
      });
      options.signal?.addEventListener("abort", onAbort, { once: true });
      entry.waiters.add(waiter);
      this.#arm(entry);
    });
  }
}
