import type { Clock } from "../../base/index.js";

/** A cycle that is known and accepted for a while, by name and with a reason. */
export interface Suppression {
  /** Names of the classes in the order of the cycle, from any of them. One name alone means nesting within that class. */
  readonly cycle: readonly string[];
  readonly reason: string;
  /** ISO date from which on it counts no more. */
  readonly until?: string;
}

export class Suppressions {
  readonly #byCycle: Map<string, Suppression[]> = new Map();
  readonly #used: Set<Suppression> = new Set();
  readonly #clock: Clock;

  constructor(clock: Clock, suppressions: readonly Suppression[]) {
    this.#clock = clock;
    for (const suppression of suppressions) this.add(suppression);
  }

  add(suppression: Suppression): void {
    const key = cycleKey(suppression.cycle);
    this.#byCycle.set(key, [...(this.#byCycle.get(key) ?? []), suppression]);
  }

  /** @param names the classes of a cycle, in its order */
  covers(names: readonly string[]): boolean {
    const found = this.#byCycle.get(cycleKey(names))?.find((one) => this.#isValid(one));
    if (found !== undefined) this.#used.add(found);
    return found !== undefined;
  }

  /** Those that no cycle ever matched: what they forgave is gone, so they can go. */
  unused(): readonly Suppression[] {
    return [...this.#byCycle.values()].flat().filter((one) => !this.#used.has(one));
  }

  #isValid({ until }: Suppression): boolean {
    return until === undefined || this.#clock.now() < Date.parse(until);
  }
}

/** The same for every rotation of the same cycle. */
export function cycleKey(names: readonly string[]): string {
  const rotations = names.map((_, start) =>
    JSON.stringify([...names.slice(start), ...names.slice(0, start)]),
  );
  return rotations.sort()[0] ?? "[]";
}
