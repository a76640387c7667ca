/**
 * Processors that may show others a plain store before an earlier one, or do a plain load after a later one. x64 does neither;
 * elsewhere an atomic operation goes in between where the order matters, at a price that x64 need not pay.
 */
export const isWeaklyOrdered: boolean = process.arch !== "x64" && process.arch !== "ia32";
