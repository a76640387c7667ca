import { MetricValueError } from "../errors.js";
import { Binding, samplePlace } from "../memory/binding.js";
import { blockHeadUnits, blockKind, cellsOf, pageCells } from "../memory/layout.js";
import { Pages, pageTag } from "./bound.js";

/** A window over the last N observations, with its labels given. */
export class BoundSamples extends Binding {
  /**
   * Records one observation.
   * @param value finite
   * @throws MetricValueError when it is not
   */
  record(value: number): void {
    if (typeof value !== "number" || value - value !== 0)
      throw new MetricValueError(this.family.definition.name, value, "a finite number");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    const countCell = this.block + blockHeadUnits;
    writer.begin();
    const count = writer.read(countCell);
    const at = samplePlace(this.block, this.family.definition.samplesMax!, count);
    // Behind the count, where no reader looks before the count has moved.
    writer.f64[at] = this.place.sinceMs();
    writer.f64[at + 1] = value + 0;
    writer.put(countCell, count + 1);
    writer.commit();
  }
}

/** Places in the ring of slots: two more than the window has, so that what a snapshot reads is not overwritten at once. */
export function placesOf(slots: number): number {
  return slots + 2;
}

/** Tag of a page of buckets of one place in the ring of slots. */
export function slotPageTag(page: number, isNegative: boolean, place: number): number {
  return pageTag(page, isNegative) * 128 + place;
}

/** Cells of a slot's block, behind its number. */
const slotSum = 1;
const slotZeros = 5;

/**
 * A window over the last T milliseconds, with its labels given: a ring of histograms, each over one slot of time. A slot says of
 * which time it is, so an old one is empty without anybody having to clear it: not even after a pause longer than the ring.
 */
export class BoundRecent extends Binding {
  readonly #indexOf: (value: number) => number;
  readonly #slotBlocks: number[] = [];
  readonly #pages: Pages[] = [];
  #blocksVersion = 0;
  #newestSlot = 0;

  constructor(indexOf: (value: number) => number, ...rest: ConstructorParameters<typeof Binding>) {
    super(...rest);
    this.#indexOf = indexOf;
  }

  /**
   * Records one observation, at this moment.
   * @param value finite
   * @throws MetricValueError when it is not
   */
  record(value: number): void {
    if (typeof value !== "number" || value - value !== 0)
      throw new MetricValueError(this.family.definition.name, value, "a finite number");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    if (this.#blocksVersion !== this.version) this.#forgetBlocks();
    const slot = this.#slotNow();
    const place = slot % placesOf(this.family.definition.slots!);
    const block = this.#slotBlock(place, epoch);
    const zeros = block + blockHeadUnits + slotZeros;
    const cell = block === 0 || value === 0 ? zeros : this.#cellOf(value, slot, place, epoch);
    if (block === 0 || cell === 0) this.drop();
    else this.#write(block, slot, value, cell);
  }

  /** From 1 on, so that a block that was never used is of no slot. Never goes back, whatever the clock does. */
  #slotNow(): number {
    const { forMs, slots } = this.family.definition;
    const slot = Math.floor(this.place.sinceMs() / (forMs! / slots!)) + 1;
    if (slot > this.#newestSlot) this.#newestSlot = slot;
    return this.#newestSlot;
  }

  #write(block: number, slot: number, value: number, countCell: number): void {
    const { writer } = this.place;
    const head = block + blockHeadUnits;
    if (writer.read(head) === slot) {
      writer.addObservation(head + slotSum, countCell, value + 0);
      return;
    }
    // The first of its slot: whatever the block holds is of an older one.
    writer.begin();
    writer.put(head, slot);
    writer.put(head + slotSum, value + 0);
    writer.put(head + slotSum + 1, 0);
    writer.put(head + slotSum + 2, value + 0);
    writer.put(head + slotSum + 3, value + 0);
    writer.put(head + slotZeros, 0);
    writer.put(countCell, countCell === head + slotZeros ? 1 : writer.read(countCell) + 1);
    writer.commit();
  }

  #slotBlock(place: number, epoch: number): number {
    const { writer } = this.place;
    let block = this.#slotBlocks[place] ?? 0;
    if (block === 0) {
      block = this.blockOf(blockKind.slot, place);
      if (block === 0) return 0;
      this.#slotBlocks[place] = block;
    }
    if (writer.i32[block * 2] !== epoch) writer.freshen(block, cellsOf[blockKind.slot], epoch);
    return block;
  }

  #cellOf(value: number, slot: number, place: number, epoch: number): number {
    const { writer } = this.place;
    const isNegative = value < 0;
    const index = this.#indexOf(isNegative ? -value : value);
    const page = index >> 5;
    const pages = (this.#pages[place * 2 + (isNegative ? 1 : 0)] ??= new Pages());
    let block = pages.get(page);
    if (block === 0) {
      block = this.blockOf(blockKind.slotPage, slotPageTag(page, isNegative, place));
      if (block === 0) return 0;
      pages.set(page, block);
    }
    if (writer.i32[block * 2] !== epoch) writer.freshen(block, cellsOf[blockKind.slotPage], epoch);
    const head = block + blockHeadUnits;
    if (writer.read(head) !== slot) this.#startPage(head, slot);
    return head + 1 + (index & (pageCells - 1));
  }

  /** Empties a page of an older slot; a record of its own, which changes no number that anybody still reads. */
  #startPage(head: number, slot: number): void {
    const { writer } = this.place;
    writer.begin();
    for (let i = 1; i <= pageCells; i += 1) writer.put(head + i, 0);
    writer.put(head, slot);
    writer.commit();
  }

  #forgetBlocks(): void {
    this.#slotBlocks.length = 0;
    this.#pages.length = 0;
    this.#blocksVersion = this.version;
  }
}
