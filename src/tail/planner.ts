const NEWLINE = 0x0a;
/** One backward look for a line's end; most lines are far shorter, so one read plans a range of any size. */
export const WINDOW_BYTES: number = 64 * 1024;
/** Forward windows over a line that is already known to be too long. */
const LONG_WINDOW_BYTES = 1024 * 1024;
/** One call scans at most this much of an over-long line, so that other files get their turn. */
const SCAN_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes kept from before an offset: enough for a time stamp and some content, so that other content is noticed. */
export const GUARD_BYTES_MAX = 256;

/** Bytes [position, position + length) of the file, fewer at its end; valid until the next read. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

export interface PlanInput {
  /** Where the next range starts: after the last byte planned. */
  readonly start: number;
  /** End of the bytes that may be planned. */
  readonly size: number;
  /** [start, scannedTo) is known to hold no newline. */
  readonly scannedTo: number;
  /** No byte will follow `size`: an unterminated last line counts. */
  readonly isFinal: boolean;
  readonly rangeBytesMax: number;
  readonly lineBytesMax: number;
}

export type Plan =
  | { readonly kind: "lines" | "oversize"; readonly end: number; readonly guard: Buffer }
  /** Only a part of a line so far: nothing to hand out until the file grows. */
  | { readonly kind: "wait"; readonly scannedTo: number }
  /** In the middle of a line without end: call again. */
  | { readonly kind: "more"; readonly scannedTo: number }
  /** The file was shorter than `size` when read. */
  | { readonly kind: "shrunk" };

type Scan = { readonly newline: number; readonly guard: Buffer } | "none" | "shrunk";

/**
 * Finds the end of the next range: the last line's end within `rangeBytesMax`, else the first one after it.
 *
 * Reads backwards from the range's far end, so the cost does not depend on the range's size. A line that does not fit
 * is looked at once, byte by byte but window by window, and `scannedTo` remembers how far.
 */
export async function planRange(input: PlanInput, read: ReadAt): Promise<Plan> {
  const { start, size, isFinal, rangeBytesMax, lineBytesMax } = input;
  if (size <= start) return { kind: "wait", scannedTo: start };
  const scannedTo = Math.max(start, input.scannedTo);
  const far = Math.min(size, start + rangeBytesMax);

  if (scannedTo - start <= lineBytesMax && scannedTo < far) {
    const last = await lastNewline(scannedTo, far, read);
    if (last === "shrunk") return { kind: "shrunk" };
    if (last !== "none") {
      const rest = size - last.newline - 1;
      // What remains after the last line's end fits as well, and nothing will follow it.
      if (isFinal && far === size && rest > 0 && rest <= lineBytesMax) return finish("lines", size, read);
      return { kind: "lines", end: last.newline + 1, guard: last.guard };
    }
  }
  return planLongLine(input, Math.max(scannedTo, far), read);
}

/** No newline in [start, from): one line, whole when its end lies within the limit, `oversize` beyond. */
async function planLongLine(input: PlanInput, from: number, read: ReadAt): Promise<Plan> {
  const { start, size, isFinal, lineBytesMax } = input;
  const until = Math.min(size, from + SCAN_BYTES_MAX);
  const first = from < until ? await firstNewline(from, until, read) : "none";
  if (first === "shrunk") return { kind: "shrunk" };
  if (first !== "none") {
    const kind = first.newline - start > lineBytesMax ? "oversize" : "lines";
    return { kind, end: first.newline + 1, guard: first.guard };
  }
  if (until < size) return { kind: "more", scannedTo: until };
  if (!isFinal) return { kind: "wait", scannedTo: until };
  return finish(size - start > lineBytesMax ? "oversize" : "lines", size, read);
}

async function finish(kind: "lines" | "oversize", end: number, read: ReadAt): Promise<Plan> {
  const guard = await readGuard(end, read);
  return guard === undefined ? { kind: "shrunk" } : { kind, end, guard };
}

/** The bytes right before `offset`, by which the same content is known again; undefined when the file is shorter. */
export async function readGuard(offset: number, read: ReadAt): Promise<Buffer | undefined> {
  const length = Math.min(GUARD_BYTES_MAX, offset);
  const bytes = await read(offset - length, length);
  return bytes.length < length ? undefined : Buffer.from(bytes);
}

/** Where the line begins that `size` cuts: the end of the last complete line. */
export async function lineStartBefore(size: number, read: ReadAt): Promise<number> {
  const last = await lastNewline(0, size, read);
  return typeof last === "string" ? 0 : last.newline + 1;
}

async function lastNewline(low: number, high: number, read: ReadAt): Promise<Scan> {
  for (let to = high; to > low; ) {
    const from = Math.max(low, to - WINDOW_BYTES);
    const scan = await scanWindow(from, to, read, "last");
    if (scan !== "none") return scan;
    to = from;
  }
  return "none";
}

async function firstNewline(low: number, high: number, read: ReadAt): Promise<Scan> {
  for (let from = low; from < high; ) {
    const to = Math.min(high, from + LONG_WINDOW_BYTES);
    const scan = await scanWindow(from, to, read, "first");
    if (scan !== "none") return scan;
    from = to;
  }
  return "none";
}

/** Looks in [from, to), reading some bytes before it so that a guard can be cut wherever the newline is. */
async function scanWindow(from: number, to: number, read: ReadAt, which: "first" | "last"): Promise<Scan> {
  const base = Math.max(0, from - GUARD_BYTES_MAX);
  const bytes = await read(base, to - base);
  if (bytes.length < to - base) return "shrunk";
  const skipped = from - base;
  const at = which === "last" ? bytes.lastIndexOf(NEWLINE) : bytes.indexOf(NEWLINE, skipped);
  if (at < skipped) return "none";
  const end = at + 1;
  return {
    newline: base + at,
    guard: Buffer.from(bytes.subarray(Math.max(0, end - GUARD_BYTES_MAX), end)),
  };
}
