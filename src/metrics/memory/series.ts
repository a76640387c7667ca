import { ByteReader, ByteWriter } from "../../base/index.js";
import { type Family, familyWord } from "./families.js";
import { putFree } from "./free-list.js";
import { seriesHeadUnits, seriesStartedUnit, seriesState, seriesWord, word } from "./layout.js";
import type { ThreadWriter } from "./writer.js";

/** Lists of freed memory by its size, beside those of blocks by kind: sizes are powers of two. */
const listsOfSizes = 8;

export function sizeList(units: number): number {
  return listsOfSizes + (31 - Math.clz32(units));
}

/** Labels of up to 8 MiB: larger ones are no labels, and the lists of free memory end somewhere. */
const seriesUnitsMax = 2 ** 20;

/** A power of two, so that freed memory fits others. */
export function roundedUnits(units: number): number {
  return 2 ** Math.ceil(Math.log2(units));
}

/** A series and what tells it from another that has its memory later. */
export interface FoundSeries {
  readonly unit: number;
  readonly order: number;
}

/** Label values as bytes: equal only for equal values, whatever stands in them. The overflow series has a key of its own. */
export function seriesKey(values: readonly string[] | "overflow"): Uint8Array {
  const writer = new ByteWriter(64);
  if (values === "overflow") {
    writer.u8(1);
  } else {
    writer.u8(0);
    for (const value of values) writer.string(value);
  }
  return writer.finish();
}

export function valuesOfKey(key: Uint8Array, count: number): readonly string[] | "overflow" {
  const reader = new ByteReader(key);
  if (reader.u8() === 1) return "overflow";
  return Array.from({ length: count }, () => reader.string());
}

/**
 * Finds a series by the bytes of its labels, or makes it; undefined when the memory is used up.
 *
 * The chain's head carries a tag that every change moves on. A search that found nothing is believed only if the head is still
 * the one it started from; and a new series is put in front by exchanging that very head. So no series is ever made twice.
 */
export function findOrMakeSeries(
  writer: ThreadWriter,
  family: Family,
  key: Uint8Array,
  startedMs: number,
): FoundSeries | "refused" | undefined {
  const { segment, i32 } = writer;
  const hash = hashOf(family.index, key);
  const chain = (hash >>> 0) % segment.chains.length;
  let made = 0;
  for (;;) {
    const head = Atomics.load(segment.chains, chain);
    const found = search(writer, firstOf(head), family.index, hash, key);
    if (found !== undefined) {
      if (made !== 0) giveUp(writer, family, made, key);
      list(i32, found.unit);
      return found;
    }
    if (Atomics.load(segment.chains, chain) !== head) continue;
    if (made === 0) {
      if (!isAdmitted(writer, family, key)) {
        // Another thread may have been admitted with this very series.
        if (Atomics.load(segment.chains, chain) !== head) continue;
        return "refused";
      }
      made = makeSeries(writer, family, hash, key, startedMs);
      if (made === 0) {
        dismiss(writer, family, key);
        return undefined;
      }
    }
    i32[made * 2 + seriesWord.next] = firstOf(head);
    const order = i32[made * 2 + seriesWord.order]!;
    if (Atomics.compareExchange(segment.chains, chain, head, moved(head, made)) !== head) continue;
    list(i32, made);
    return { unit: made, order };
  }
}

/**
 * Lets readers see that there is a series more. Whoever made it may have died before, so whoever finds it looks after it: no record is
 * in a series that readers don't look for.
 */
function list(i32: Int32Array, series: number): void {
  const listedAt = series * 2 + seriesWord.listed;
  if (Atomics.load(i32, listedAt) === 1) return;
  Atomics.add(i32, word.seriesListed, 1);
  Atomics.store(i32, listedAt, 1);
}

/** The series of a chain, first to last. */
export function firstOf(head: bigint): number {
  return Number(head & 0xffff_ffffn);
}

/** The head that follows, with another first series. */
export function moved(head: bigint, first: number): bigint {
  return BigInt.asIntN(64, (((head >> 32n) + 1n) << 32n) | BigInt(first));
}

export function chainOf(i32: Int32Array, series: number, chains: number): number {
  return (i32[series * 2 + seriesWord.hash]! >>> 0) % chains;
}

export function keyOf(segment: ThreadWriter["segment"], series: number): Uint8Array {
  const { i32, bytes } = segment;
  const start = (series + seriesHeadUnits) * 8;
  return bytes.slice(start, start + i32[series * 2 + seriesWord.keyBytes]!);
}

function search(
  writer: ThreadWriter,
  first: number,
  family: number,
  hash: number,
  key: Uint8Array,
): FoundSeries | undefined {
  const { i32 } = writer;
  let steps = 0;
  for (let at = first; at !== 0; at = Atomics.load(i32, at * 2 + seriesWord.next)) {
    const words = at * 2;
    const order = Atomics.load(i32, words + seriesWord.order);
    const isIt =
      i32[words + seriesWord.hash] === hash &&
      i32[words + seriesWord.family] === family &&
      Atomics.load(i32, words + seriesWord.state) !== seriesState.freed &&
      hasKey(writer, at, key);
    // A series whose memory was reused while it was looked at is another by now.
    if (isIt && Atomics.load(i32, words + seriesWord.order) === order) return { unit: at, order };
    // Led astray into another chain by such a one: the caller starts again, since the head has moved on.
    steps += 1;
    if (steps > 1_000_000) return undefined;
  }
  return undefined;
}

function hasKey(writer: ThreadWriter, series: number, key: Uint8Array): boolean {
  const { bytes } = writer.segment;
  if (writer.i32[series * 2 + seriesWord.keyBytes] !== key.length) return false;
  const start = (series + seriesHeadUnits) * 8;
  for (let i = 0; i < key.length; i += 1) if (bytes[start + i] !== key[i]) return false;
  return true;
}

function makeSeries(
  writer: ThreadWriter,
  family: Family,
  hash: number,
  key: Uint8Array,
  startedMs: number,
): number {
  const { i32, f64, segment } = writer;
  const units = roundedUnits(seriesHeadUnits + Math.ceil(key.length / 8));
  if (units > seriesUnitsMax) return 0;
  const at = writer.takeUsed(sizeList(units), units) || writer.takeUnits(units);
  if (at === 0) return 0;
  const words = at * 2;
  // First, so that whoever still looks at what was here before notices.
  Atomics.store(i32, words + seriesWord.order, Atomics.add(i32, word.seriesOrder, 1) + 1);
  i32[words + seriesWord.family] = family.index;
  i32[words + seriesWord.hash] = hash;
  i32[words + seriesWord.keyBytes] = key.length;
  i32[words + seriesWord.blocks] = 0;
  i32[words + seriesWord.creator] = writer.owner;
  f64[at + seriesStartedUnit] = startedMs;
  i32[words + seriesWord.listed] = 0;
  segment.bytes.set(key, (at + seriesHeadUnits) * 8);
  Atomics.store(i32, words + seriesWord.state, seriesState.live);
  return at;
}

/** Counts first and asks then, so that the cap holds with any number of threads. */
function isAdmitted(writer: ThreadWriter, family: Family, key: Uint8Array): boolean {
  if (isOverflowKey(key)) return true;
  const at = family.unit * 2 + familyWord.series;
  if (Atomics.add(writer.i32, at, 1) < family.definition.seriesMax) return true;
  Atomics.sub(writer.i32, at, 1);
  return false;
}

function dismiss(writer: ThreadWriter, family: Family, key: Uint8Array): void {
  if (!isOverflowKey(key)) Atomics.sub(writer.i32, family.unit * 2 + familyWord.series, 1);
}

/** Somebody else has made the same series meanwhile. */
function giveUp(writer: ThreadWriter, family: Family, made: number, key: Uint8Array): void {
  dismiss(writer, family, key);
  Atomics.store(writer.i32, made * 2 + seriesWord.state, seriesState.freed);
  const units = roundedUnits(seriesHeadUnits + Math.ceil(key.length / 8));
  putFree(writer.i32, writer.wordsAt, sizeList(units), made);
}

function isOverflowKey(key: Uint8Array): boolean {
  return key[0] === 1;
}

/** FNV-1a over the family and the key; never 0. */
export function hashOf(family: number, key: Uint8Array): number {
  let hash = (0x811c9dc5 ^ family) | 0;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key[i]!, 0x01000193);
  return hash | 1;
}
