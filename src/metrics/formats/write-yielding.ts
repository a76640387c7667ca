import { type Clock, systemClock, turnInLine } from "../../base/index.js";

/** How long writing may go on before others have a turn: with a pause of the garbage collector on top it stays below 10 ms. */
const sliceMs = 2;

/**
 * Hands the pieces on and lets the event loop go on whenever it has been busy with them for about 2 ms, and once before the first. However
 * many do that at the same time, the loop is held by one of them in each turn. Empty pieces are left out.
 *
 * @throws the signal's reason as soon as it is aborted; the pieces' generator is closed then
 */
export async function* writeYielding<T extends string | Uint8Array>(
  pieces: Iterable<T>,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  await turnInLine();
  let sliceStartMs = clock.monotonicMs();
  for (const piece of pieces) {
    signal?.throwIfAborted();
    if (piece.length > 0) yield piece;
    if (clock.monotonicMs() - sliceStartMs < sliceMs) continue;
    await turnInLine();
    sliceStartMs = clock.monotonicMs();
  }
  signal?.throwIfAborted();
}
