import { type FileHandle, open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";

/** 200 lines are enough to tell a category from an identifier, and are read in a few milliseconds. */
export const sampleLinesMax = 200;
/** 256 KiB: so that a file of very long lines costs no more than that. */
const headBytesMax = 262_144;
/** 128 KiB of the end too: kinds of lines that come late (a turn's end, a summary) are not in the beginning. */
const tailBytesMax = 131_072;

/**
 * The first and, of a larger file, the last complete lines that are not blank. An unterminated last line counts, as it does
 * for `report`.
 */
export async function readSample(path: string, linesMax: number = sampleLinesMax): Promise<string[]> {
  await using file = await open(path, "r");
  const head = await readAt(file, 0, headBytesMax);
  const lines = sampleLines(head, head.length < headBytesMax).slice(0, linesMax);
  if (head.length < headBytesMax) return lines;
  const { size } = await file.stat();
  const from = Math.max(head.length, size - tailBytesMax);
  const tail = await readAt(file, from, tailBytesMax);
  return [...lines, ...linesAfterFirst(tail).slice(-linesMax)];
}

async function readAt(file: FileHandle, from: number, bytesMax: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytesMax);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** `isWhole`: the bytes are all there is, so that a last line without its end counts too. */
export function sampleLines(bytes: Uint8Array, isWhole: boolean): string[] {
  // StringDecoder keeps back a character that the read cut in two.
  const text = new StringDecoder("utf8").write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (!isWhole) lines.pop();
  return lines.map((line) => line.replace(/\r$/, "")).filter((line) => line.trim() !== "");
}

/** The read began somewhere inside a line, and the last one may still be growing. */
function linesAfterFirst(bytes: Buffer): string[] {
  const start = bytes.indexOf(0x0a);
  return start === -1 ? [] : sampleLines(bytes.subarray(start + 1), false);
}
