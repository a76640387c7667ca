import type { LockClass } from "../kinds.js";

/** All of them: nobody else holds any at the same time. */
const all = 15;

/** In which size permits are held, as a small number: 0 for one, n for at least 2ⁿ, 15 for all. Chains and evidence tell no more apart. */
export function sizeOf(weight: number | undefined, { permits }: LockClass): number {
  if (weight === undefined || weight <= 1 || permits === 1) return 0;
  return weight >= permits ? all : Math.min(all - 1, 31 - Math.clz32(weight));
}

/** Permits that everybody has at least who holds them in the same size. */
export function leastOf(weight: number, lockClass: LockClass): number {
  const size = sizeOf(weight, lockClass);
  return size === all ? lockClass.permits : 2 ** size;
}
