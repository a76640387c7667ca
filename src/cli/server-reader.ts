import { codeOf, messageOf } from "../base/index.js";
import type { LocksDocument } from "../locks/index.js";
import type { MetricAnswer } from "../pipeline/index.js";
import type { WireDeadLetter, WireDeadLetters } from "../server/index.js";
import type { LedgerRow } from "../store/index.js";
import { letterText, type ShownLetter } from "./dead-letter-text.js";
import { ServerAnswerError, UnreachableError } from "./errors.js";
import type { DeadLetterList, Reader, ReadQuery, ShownLetters } from "./reader.js";

/** A server that does not begin to answer in this time is taken as not there, in milliseconds. */
const answerMs = 10_000;

/** Asks a running server over HTTP. */
export class ServerReader implements Reader {
  readonly #base: string;
  readonly #token: string | undefined;

  /** `base`: `http://127.0.0.1:4600` */
  constructor(base: string, token: string | undefined) {
    this.#base = base.replace(/\/+$/, "");
    this.#token = token;
  }

  async metrics(): Promise<readonly string[]> {
    const { metrics } = await this.#get<{ metrics: readonly { name: string }[] }>("metrics", {});
    return metrics.map(({ name }) => name);
  }

  query({ metric, window, groupsMax }: ReadQuery): Promise<MetricAnswer> {
    return this.#get("query", { metric, window, groups: groupsMax });
  }

  async ledger(): Promise<readonly LedgerRow[]> {
    return (await this.#get<{ sources: readonly LedgerRow[] }>("ledger", {})).sources;
  }

  async deadLetters(query: DeadLetterList): Promise<ShownLetters> {
    const page = await this.#get<WireDeadLetters>("dead-letters", { ...query });
    return { ...page, items: page.items.map(shown) };
  }

  async deadLetter(id: number): Promise<ShownLetter | undefined> {
    try {
      return shown(await this.#get<WireDeadLetter>(`dead-letters/${id}`, {}));
    } catch (error) {
      if (codeOf(error) === "HTTP_NOT_FOUND") return undefined;
      throw error;
    }
  }

  locks(): Promise<LocksDocument> {
    return this.#get("locks", {});
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #get<T>(path: string, parameters: Readonly<Record<string, string | number | undefined>>): Promise<T> {
    const url = new URL(`${this.#base}/api/v1/${path}`);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(answerMs) });
      body = await response.json();
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause ?? error;
      throw new UnreachableError(`Cannot reach the server at ${this.#base}: ${messageOf(cause)}`, {
        cause: error,
      });
    }
    if (response.ok) return body as T;
    const { error } = body as { error?: { code?: string; message?: string; hint?: string } };
    const message = error?.message ?? `the server answered with status ${response.status}`;
    throw new ServerAnswerError(error?.code ?? "HTTP_FAILED", message, error?.hint);
  }
}

function shown(letter: WireDeadLetter): ShownLetter {
  const { base64, text, ...rest } = letter;
  if (text !== undefined) return { ...rest, text, isText: true };
  return { ...rest, ...letterText(Buffer.from(base64, "base64")) };
}
