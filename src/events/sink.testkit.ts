import type { DecodeFailureReason, Decoder } from "./decode-contract.js";

export interface Collected {
  readonly events: unknown[][];
  readonly failures: { reason: DecodeFailureReason; message: string; index: number }[];
}

/** What a decoder says about one line, which stands in the middle of other text; indexes must count from 0 without a gap. */
export function collect(decoder: Decoder, line: string, before = '"{\n', after = '\n"}'): Collected {
  const collected: Collected = { events: [], failures: [] };
  const indexes: number[] = [];
  decoder.decode(before + line + after, before.length, before.length + line.length, {
    event(values, index) {
      collected.events.push([...values]);
      indexes.push(index);
    },
    failure(reason, message, index) {
      collected.failures.push({ reason, message, index });
      indexes.push(index);
    },
  });
  if (indexes.some((index, i) => index !== i)) throw new RangeError(`indexes out of order: ${indexes}`);
  return collected;
}
