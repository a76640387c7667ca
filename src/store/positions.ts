import type { Position } from "./contract.js";

/** A place in the one partition there is. */
export function positionOf(sequence: number): Position {
  return `0-${sequence}`;
}

/** The sequence within the partition; undefined for a text that no store made. */
export function sequenceOf(position: Position): number | undefined {
  const match = /^0-(\d{1,16})$/.exec(position);
  return match === null ? undefined : Number(match[1]);
}

/** Ascending by partition, then by sequence. */
export function comparePositions(a: Position, b: Position): number {
  const [partitionA = "", sequenceA = ""] = a.split("-");
  const [partitionB = "", sequenceB = ""] = b.split("-");
  return Number(partitionA) - Number(partitionB) || Number(sequenceA) - Number(sequenceB);
}
