import type { OrderFinding, OrderSeverity } from "./finding.js";
import { cycleKey } from "./suppressions.js";

/** The worse, the higher. */
export const ranks: Readonly<Record<OrderSeverity, number>> = { gated: 0, stall: 1, feasible: 2, certain: 3 };

/** Every finding once. A cycle comes again only when it turns out to be worse than was known. */
export class Findings {
  readonly #all: OrderFinding[] = [];
  readonly #ranks: Map<string, number> = new Map();
  readonly #max: number;
  readonly #onDrop: () => void;
  #dropped = 0;

  constructor(max: number, onDrop: () => void) {
    this.#max = max;
    this.#onDrop = onDrop;
  }

  get all(): readonly OrderFinding[] {
    return this.#all;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** @returns the finding, unless it is known or can't be kept */
  report(finding: OrderFinding): OrderFinding | undefined {
    const key = keyOf(finding);
    const rank = ranks[finding.severity];
    if ((this.#ranks.get(key) ?? -1) >= rank) return undefined;
    if (this.#all.length >= this.#max) {
      this.#dropped += 1;
      this.#onDrop();
      return undefined;
    }
    this.#ranks.set(key, rank);
    this.#all.push(finding);
    return finding;
  }

  /** What was found with the class may be found again; it stays in the list. */
  forget(name: string): void {
    for (const finding of this.#all)
      if (finding.cycle.some((lock) => lock.name === name)) this.#ranks.delete(keyOf(finding));
  }
}

/** The same for every way to write the same cycle of classes. */
export function findingKey(kind: OrderFinding["kind"], names: readonly string[]): string {
  return `${kind} ${cycleKey(names)}`;
}

function keyOf({ kind, cycle }: OrderFinding): string {
  return findingKey(
    kind,
    cycle.map(({ name }) => name),
  );
}
