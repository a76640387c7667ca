import type { MetricAnswer, SeriesAnswer } from "../pipeline/index.js";
import type { DeadLetter, DeadLetterPage, LedgerRow, Place } from "../store/index.js";
import type { MetricDescription, SourceFiles, SourceStatus } from "./source.js";

/** A dead letter as JSON: its bytes as base64, and as text where they are UTF-8. */
export interface WireDeadLetter extends Omit<DeadLetter, "bytes" | "at"> {
  readonly at: Place;
  readonly base64: string;
  readonly text?: string;
  /** True when `base64` holds only the first bytes of what is kept. */
  readonly isCut?: true;
}

export interface WireDeadLetters extends Omit<DeadLetterPage, "items"> {
  readonly items: readonly WireDeadLetter[];
}

/** Why the numbers can't be refreshed at the moment. */
export interface WireTrouble {
  readonly code: string;
  readonly message: string;
}

/** What a page shows, in parts that change on their own; `answer:NAME` and `series:NAME` for each metric. */
export interface WireParts {
  readonly status?: SourceStatus;
  readonly metrics?: readonly MetricDescription[];
  readonly ledger?: readonly LedgerRow[];
  readonly sources?: readonly SourceFiles[];
  readonly dead?: WireDeadLetters;
  readonly trouble?: WireTrouble | null;
  readonly [answer: `answer:${string}`]: MetricAnswer;
  readonly [series: `series:${string}`]: SeriesAnswer;
}

/**
 * From server to page. A snapshot has all parts; changes have those that changed, and none when only time passed. `seq` counts
 * the frames of a view: after a snapshot with n come changes with n + 1, n + 2, …
 */
export interface WireFrame {
  readonly type: "snapshot" | "changes";
  readonly seq: number;
  readonly generation: string;
  readonly version: number;
  readonly nowMs: number;
  /** Window of the answers; null for totals. */
  readonly windowMs: number | null;
  readonly parts: WireParts;
}

/** From server to page: the last message from the page was not understood. */
export interface WireRefusal {
  readonly type: "refusal";
  readonly message: string;
}

/** From page to server: show another window, or send everything again. */
export type WireRequest =
  | { readonly type: "window"; readonly windowMs: number | null }
  | { readonly type: "snapshot" };

/** WebSocket close codes beside the standard's. */
export const closeCodes: { readonly tooSlow: 4001; readonly stopping: 1001 } = {
  tooSlow: 4001,
  stopping: 1001,
};
