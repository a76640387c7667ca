import type { Claim } from "./contract.js";
import type { Draft } from "./draft.js";
import { LaneFencedError } from "./errors.js";
import { metaKey } from "./keys.js";
import type { State } from "./state.js";

/** Grants a name that is free, has run out, or is this owner's already; always with a new token. */
export function claim(
  state: State,
  draft: Draft,
  name: string,
  owner: string,
  term: { readonly nowMs: number; readonly ttlMs: number },
): Claim | undefined {
  const held = draft.get("claims", name);
  if (held !== undefined && held.owner !== owner && held.untilMs > term.nowMs) return undefined;
  const token = state.meta.nextToken;
  const granted = { name, owner, token, untilMs: term.nowMs + term.ttlMs };
  draft.put("meta", metaKey, { ...state.meta, nextToken: token + 1 });
  draft.put("claims", name, granted);
  return granted;
}

/** Extends a claim, also after its end if nobody else took it. */
export function renewClaim(draft: Draft, held: Claim, untilMs: number): boolean {
  const newest = draft.get("claims", held.name);
  if (newest?.token !== held.token) return false;
  draft.put("claims", held.name, { ...newest, untilMs });
  return true;
}

export function releaseClaim(draft: Draft, held: Claim): void {
  if (draft.get("claims", held.name)?.token === held.token) draft.delete("claims", held.name);
}

/** Replaces a lane's state under the claim of the lane's name. @throws LaneFencedError */
export function putLane(
  draft: Draft,
  change: { readonly lane: string; readonly token: number; readonly state: Uint8Array },
): void {
  const { lane, token, state } = change;
  const newest = draft.get("claims", lane)?.token;
  if (newest !== token) throw new LaneFencedError(lane, token, newest);
  draft.put("lanes", lane, { token, state });
}
