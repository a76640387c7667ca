import { PoundlockError } from "../../base/index.js";

/** Somebody else has the claim, and the caller did not want to wait. */
export class ClaimBusyError extends PoundlockError {
  readonly code = "LOCK_CLAIM_BUSY";
  override readonly retryable = true;
  readonly claim: string;

  constructor(claim: string) {
    super(`Cannot claim ${claim}: another owner has it`);
    this.claim = claim;
  }
}

/** The wait for a claim took longer than its limit. Nothing was claimed. */
export class ClaimTimeoutError extends PoundlockError {
  readonly code = "LOCK_CLAIM_TIMEOUT";
  override readonly retryable = true;
  readonly claim: string;
  readonly waitMs: number;

  constructor(claim: string, waitMs: number) {
    super(`Cannot claim ${claim}: waited ${waitMs} ms`);
    this.claim = claim;
    this.waitMs = waitMs;
  }
}

/** `expired`: not renewed in time. `taken`: its owner's next claim, or another owner, has it. `released`: by the caller itself. */
export type ClaimLostReason = "expired" | "taken" | "released";

/** The claim is no longer this holder's. Work under it must stop; it never comes back by itself. */
export class ClaimLostError extends PoundlockError {
  readonly code = "LOCK_CLAIM_LOST";
  readonly claim: string;
  readonly token: number;
  readonly reason: ClaimLostReason;

  constructor(claim: string, token: number, reason: ClaimLostReason) {
    super(`Cannot go on under claim ${claim} (token ${token}): it is ${reason}`);
    this.claim = claim;
    this.token = token;
    this.reason = reason;
  }
}

/** The place where claims are kept did not answer. Whether a claim was made there is not known; it would end with its lease. */
export class ClaimUnavailableError extends PoundlockError {
  readonly code = "LOCK_CLAIM_UNAVAILABLE";
  override readonly retryable = true;
  readonly claim: string;

  constructor(claim: string, what: "claim" | "renew" | "release", cause?: unknown) {
    super(`Cannot ${what} ${claim}: the claims can't be reached`, { cause });
    this.claim = claim;
  }
}

/** A lower token than one seen before: its holder has lost the claim, and does not know it yet. */
export class StaleTokenError extends PoundlockError {
  readonly code = "LOCK_TOKEN_STALE";
  readonly resource: string;
  readonly token: number;
  readonly newest: number;

  constructor(resource: string, token: number, newest: number) {
    super(`Cannot change ${resource} with token ${token}: ${newest} has been here`);
    this.resource = resource;
    this.token = token;
    this.newest = newest;
  }
}
