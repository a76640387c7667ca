const nanosPerMs = 1_000_000n;
/** Where 64 bits of nanoseconds end, in the year 2554. */
const endMs = 2 ** 64 / 1e6;

/**
 * Nanoseconds since 1970, which doubles can't hold: whole milliseconds exactly, their fraction to the nearest nanosecond. 0, which
 * formats take for unknown, for what lies before 1970 or beyond 64 bits, and for what is no time.
 */
export function unixNanos(ms: number): bigint {
  if (!(ms > 0 && ms < endMs)) return 0n;
  const wholeMs = Math.floor(ms);
  return BigInt(wholeMs) * nanosPerMs + BigInt(Math.round((ms - wholeMs) * 1e6));
}
