import { type Clock, turnInLine } from "../../base/index.js";

/** Something long, done in steps that each take far less than a millisecond. */
export type Steps<T> = Generator<void, T, void>;

/** How long work runs before the event loop has a turn, in milliseconds: with a pause of the garbage collector on top it stays below 10 ms. */
const turnMs = 2;
/** Points of a few numbers each that one step is made of. */
export const pointsPerStep = 8;

/** All steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export interface InTurnsOptions {
  readonly clock: Clock;
  /** Asked after each turn; the rest is not done when it answers false. */
  readonly isWanted?: () => boolean;
}

/**
 * All steps, with a turn of the event loop in between whenever they have run for 2 ms. The first begin at once: what is short is done
 * when this returns. `onDone` is called once, and not at all when the rest is not wanted or a step throws.
 *
 * @returns when there is nothing left to do, also when the rest is not wanted; rejects with what a step throws
 */
export async function inTurns<T>(
  steps: Steps<T>,
  { clock, isWanted = () => true }: InTurnsOptions,
  onDone: (result: T) => void,
): Promise<void> {
  let startMs = clock.monotonicMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return onDone(step.value);
    if (clock.monotonicMs() - startMs < turnMs) continue;
    await turnInLine();
    if (!isWanted()) return;
    startMs = clock.monotonicMs();
  }
}

/** Does something with each point, and ends a step now and then. */
export function* eachPoint<P>(points: Iterable<P>, visit: (point: P) => void): Steps<void> {
  let left = pointsPerStep;
  for (const point of points) {
    visit(point);
    left -= 1;
    if (left > 0) continue;
    left = pointsPerStep;
    yield;
  }
}
