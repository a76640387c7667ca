const pollMs = 5;

/**
 * Waits for a condition instead of sleeping: resolves with the first value of `look` that is neither false nor undefined.
 * @throws when there is none within `limitMs`, with `what` in the message
 */
export async function until<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
  limitMs = 10_000,
): Promise<T> {
  const endsAtMs = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen;
    if (performance.now() > endsAtMs) throw new Error(`Waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
