/** `Atomics.waitAsync`, which every supported Node.js has and the language library of ES2023 does not name. */
interface WaitAsync {
  waitAsync(
    typed: BigInt64Array<SharedArrayBuffer>,
    index: number,
    value: bigint,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<"ok" | "timed-out"> };
}

/**
 * Resolves once the place is no longer `value` and its changer woke it, or at once if it is not now. It can't be cancelled: wake the place.
 * Nor does it keep the process alive: hold a timer meanwhile.
 */
export async function placeChange(
  places: BigInt64Array<SharedArrayBuffer>,
  index: number,
  value: bigint,
): Promise<void> {
  const wait = (Atomics as unknown as WaitAsync).waitAsync(places, index, value);
  if (wait.async) await wait.value;
}
