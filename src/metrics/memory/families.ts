import type { Definition } from "../definition.js";
import { MetricConflictError, MetricMemoryError } from "../errors.js";
import type { Segment } from "./segment.js";

/*
 * family   hash │ bytes │ series │ refused │ definition as JSON, in UTF-8 …
 *
 * JSON because it says everything in a form that two threads write alike; JSON.stringify escapes lone surrogates.
 */
export const familyWord = { hash: 0, bytes: 1, series: 2, refused: 3 } as const;
const familyHeadUnits = 2;

const encoder = new TextEncoder();

/** A metric as all threads see it. */
export interface Family {
  readonly index: number;
  readonly unit: number;
  readonly definition: Definition;
}

/** All metrics, in order of registration. Each thread keeps what it has read. */
export class Families {
  readonly #segment: Segment;
  readonly #known: Family[] = [];

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Those that are registered by now, in order. */
  all(): readonly Family[] {
    while (this.#known.length < this.#segment.familiesMax && this.#read(this.#known.length) !== undefined);
    return this.#known;
  }

  find(name: string): Family | undefined {
    return this.all().find((family) => family.definition.name === name);
  }

  /**
   * The metric of that name; registered now if nobody has done so before.
   * @throws MetricConflictError when it was registered with another shape
   * @throws MetricMemoryError when there is no room for it
   */
  register(definition: Definition): Family {
    const known = this.find(definition.name);
    if (known !== undefined) return sameShape(known, definition);
    const unit = this.#write(definition);
    for (let index = this.#known.length; index < this.#segment.familiesMax; index += 1) {
      const at = this.#segment.familiesAt + index;
      const isMine = Atomics.compareExchange(this.#segment.i32, at, 0, unit) === 0;
      const family = this.#read(index)!;
      if (isMine) return family;
      // Somebody was faster; it may have been with this very metric.
      if (family.definition.name === definition.name) return sameShape(family, definition);
    }
    throw new MetricMemoryError(definition.name, this.#segment.unitsTotal * 8);
  }

  #read(index: number): Family | undefined {
    const known = this.#known[index];
    if (known !== undefined) return known;
    const { i32, bytes, familiesAt } = this.#segment;
    const unit = Atomics.load(i32, familiesAt + index);
    if (unit === 0) return undefined;
    const start = (unit + familyHeadUnits) * 8;
    // A copy, because a decoder takes no shared memory.
    const json = Buffer.from(bytes.slice(start, start + i32[unit * 2 + familyWord.bytes]!)).toString();
    const family = { index, unit, definition: JSON.parse(json) as Definition };
    this.#known[index] = family;
    return family;
  }

  #write(definition: Definition): number {
    const json = encoder.encode(JSON.stringify(definition));
    const unit = this.#segment.take(familyHeadUnits + Math.ceil(json.length / 8));
    if (unit === 0) throw new MetricMemoryError(definition.name, this.#segment.unitsTotal * 8);
    this.#segment.i32[unit * 2 + familyWord.bytes] = json.length;
    this.#segment.bytes.set(json, (unit + familyHeadUnits) * 8);
    return unit;
  }
}

function sameShape(family: Family, wanted: Definition): Family {
  const before = family.definition;
  for (const what of Object.keys({ ...before, ...wanted }) as (keyof Definition)[]) {
    // Words may be mended without making it another metric.
    if (what === "help") continue;
    const was = JSON.stringify(before[what]);
    const now = JSON.stringify(wanted[what]);
    if (was !== now) throw new MetricConflictError(before.name, what, was ?? "not set", now ?? "not set");
  }
  return family;
}
