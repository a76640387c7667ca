import { OptionError } from "./errors.js";

/**
 * A whole number between `min` and `max`, or the default when absent.
 * @throws OptionError when it is anything else
 */
export function integerOption(
  name: string,
  value: number | undefined,
  limits: { readonly default: number; readonly min: number; readonly max: number },
): number {
  if (value === undefined) return limits.default;
  if (Number.isInteger(value) && value >= limits.min && value <= limits.max) return value;
  throw new OptionError(name, `Cannot use ${name} = ${String(value)}: expected ${limits.min}..${limits.max}`);
}

/** Fails when something that the code relies on does not hold: a bug of ours, never the caller's fault. */
export function assertInvariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`Broken invariant: ${what}`);
}
