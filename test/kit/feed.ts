import type { DeadLetter } from "../../src/store/index.js";
import type { FakeEvent } from "./fake-source.js";

/** Numbers 0..1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const routes = [
  { route: "/api/orders", share: 0.46, medianMs: 42 },
  { route: "/api/orders/:id", share: 0.24, medianMs: 18 },
  { route: "/api/search", share: 0.17, medianMs: 130 },
  { route: "/api/login", share: 0.09, medianMs: 75 },
  { route: "/health", share: 0.04, medianMs: 2 },
];

/** One believable request: log-normal durations, a few failures, slower and worse for a while every two minutes. */
export function madeUpRequest(timeMs: number, random: () => number): FakeEvent {
  let left = random();
  const chosen = routes.find(({ share }) => (left -= share) <= 0) ?? routes[0]!;
  const isRough = timeMs % 120_000 < 14_000 && chosen.route === "/api/search";
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const durationMs = Math.round(chosen.medianMs * Math.exp(0.55 * normal) * (isRough ? 3.2 : 1) * 100) / 100;
  const luck = random();
  const status = luck < (isRough ? 0.06 : 0.006) ? "500" : luck < 0.03 ? "404" : luck < 0.08 ? "304" : "200";
  return { timeMs, route: chosen.route, status, durationMs };
}

/** A dead letter as a cut JSON line makes one. */
export function madeUpLetter(
  id: number,
  nowMs: number,
  line: string,
  reason: DeadLetter["reason"] = "parse",
): DeadLetter {
  const bytes = Buffer.from(line);
  const error =
    reason === "parse"
      ? `Cannot parse line as JSON: unexpected end at column ${bytes.length + 1}`
      : `Cannot use value: ${reason}`;
  return {
    id,
    source: "app",
    at: {
      kind: "file",
      file: "f1",
      path: "/var/log/shop/app.jsonl",
      offset: 81_234 * id,
      length: bytes.length,
      index: 0,
    },
    bytes,
    length: bytes.length,
    reason,
    attempts: 1,
    firstError: error,
    newestError: error,
    firstMs: nowMs,
    newestMs: nowMs,
  };
}
