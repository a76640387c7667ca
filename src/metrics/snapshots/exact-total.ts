import { ExactSum } from "../../sketch/index.js";

/**
 * A sum of doubles that is exact until it is read, so that what never falls never seems to: rounding each addition could let the
 * same values, grouped in another way, come out one unit lower, which readers of a counter take for a new start.
 * Infinities and NaN, which no exact sum can hold, make it what adding doubles makes it.
 */
export class ExactTotal {
  #finite = new ExactSum();
  #rest: number | undefined;

  add(value: number): void {
    if (Number.isFinite(value)) this.#finite.add(value);
    else this.#rest = (this.#rest ?? 0) + value;
  }

  copy(): ExactTotal {
    const copy = new ExactTotal();
    copy.#finite = this.#finite.copy();
    copy.#rest = this.#rest;
    return copy;
  }

  value(): number {
    return this.#rest ?? this.#finite.value();
  }
}
