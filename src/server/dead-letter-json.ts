import { isUtf8 } from "node:buffer";
import type { DeadLetter, DeadLetterPage } from "../store/index.js";
import type { WireDeadLetter, WireDeadLetters } from "./wire.js";

/** @param bytesMax how much of the bytes goes along */
export function deadLetterToWire(
  letter: DeadLetter,
  bytesMax: number = Number.POSITIVE_INFINITY,
): WireDeadLetter {
  const { bytes, ...rest } = letter;
  const shown = bytes.length > bytesMax ? cutAtCharacter(bytes, bytesMax) : bytes;
  const buffer = Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength);
  return {
    ...rest,
    base64: buffer.toString("base64"),
    ...(isUtf8(buffer) ? { text: buffer.toString("utf8") } : {}),
    ...(shown.length < bytes.length ? { isCut: true as const } : {}),
  };
}

export function deadLettersToWire(page: DeadLetterPage, bytesMax?: number): WireDeadLetters {
  return { ...page, items: page.items.map((letter) => deadLetterToWire(letter, bytesMax)) };
}

/** Not inside a UTF-8 character, so that what was text stays text. */
function cutAtCharacter(bytes: Uint8Array, lengthMax: number): Uint8Array {
  let end = lengthMax;
  while (end > lengthMax - 4 && end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
