import { turnInLine } from "../base/index.js";
import { type MetricsSnapshot, negotiate, renderJson, writeYielding } from "../metrics/index.js";
import type { ServiceFamilies } from "./families.js";
import { frozenNumbers } from "./frozen-numbers.js";

/** An answer with the metrics, to be sent as it comes. */
export interface Scrape {
  readonly contentType: string;
  /** The event loop has a turn every few milliseconds while it is read. */
  readonly body: AsyncGenerator<string | Uint8Array, void, undefined>;
}

/** Where scrapes get their numbers from: a registry, or the gathered processes. */
export interface ScrapeSource {
  collect(): Promise<MetricsSnapshot>;
}

/** In the format that the `Accept` header wants most: see `negotiate`. @throws what the signal aborts with */
export async function scrapeText(
  source: ScrapeSource,
  accept: string | undefined,
  signal?: AbortSignal,
): Promise<Scrape> {
  const format = negotiate(accept);
  const snapshot = await collectAfterTurn(source, signal);
  return { contentType: format.contentType, body: writeYielding(format.render(snapshot), signal) };
}

/** The frozen numbers, and under `metrics` everything, both of one snapshot. @throws what the signal aborts with */
export async function scrapeJson(
  source: ScrapeSource,
  families: ServiceFamilies,
  signal?: AbortSignal,
): Promise<Scrape> {
  const snapshot = await collectAfterTurn(source, signal);
  return {
    contentType: "application/json; charset=utf-8",
    body: writeYielding(jsonPieces(snapshot, families), signal),
  };
}

function* jsonPieces(snapshot: MetricsSnapshot, families: ServiceFamilies): Generator<string> {
  yield `${JSON.stringify(frozenNumbers(snapshot, families)).slice(0, -1)},"metrics":`;
  yield* renderJson(snapshot);
  yield "}";
}

/**
 * A client may have its answer, and ask for the metrics on another connection, before this process has been told that the answer was sent.
 * What the system has told by now is counted in the turn between.
 */
async function collectAfterTurn(source: ScrapeSource, signal?: AbortSignal): Promise<MetricsSnapshot> {
  await turnInLine();
  const snapshot = await source.collect();
  signal?.throwIfAborted();
  return snapshot;
}
