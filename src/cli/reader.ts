import type { MetricAnswer } from "../pipeline/index.js";
import type { DeadLetterPage, LedgerRow } from "../store/index.js";
import type { ShownLetter } from "./dead-letter-text.js";

export interface ReadQuery {
  readonly metric: string;
  /** `1m`, `24h` or `all`. */
  readonly window: string;
  readonly windowMs?: number;
  readonly groupsMax?: number;
}

export interface DeadLetterList {
  readonly limit?: number;
  readonly before?: number;
  readonly source?: string;
  readonly reason?: string;
}

export type ShownLetters = Omit<DeadLetterPage, "items"> & { readonly items: readonly ShownLetter[] };

/** Where the commands that only look get their answers: a running server, or the store itself. */
export interface Reader extends AsyncDisposable {
  metrics(): Promise<readonly string[]>;
  query(query: ReadQuery): Promise<MetricAnswer>;
  ledger(): Promise<readonly LedgerRow[]>;
  deadLetters(query: DeadLetterList): Promise<ShownLetters>;
  deadLetter(id: number): Promise<ShownLetter | undefined>;
}
