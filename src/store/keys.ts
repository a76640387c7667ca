import type { Place } from "./contract.js";
import { type Group, groupKey } from "./group.js";
import { joinKey, orderedKey } from "./tables.js";

/** Keys of the tables, in one place because a wrong one would silently make a second record. */
export const metaKey = "state";

export function groupRecordKey(metricId: number, group: Group): string {
  return `${metricId}/${groupKey(group)}`;
}

export function cellRecordKey(metricId: number, groupId: number, level: number, startMs: number): string {
  return `${metricId}/${groupId}/${level}/${startMs}`;
}

export function totalRecordKey(metricId: number, groupId: number): string {
  return `${metricId}/${groupId}`;
}

export function watermarkKey(source: string, file: string): string {
  return joinKey(source, file);
}

export function deadLetterKey(id: number): string {
  return orderedKey(id);
}

export function frameKey(sequence: number): string {
  return orderedKey(sequence);
}

/** Frames and retry rows share the table of leases; a frame's key is all digits. */
export function retryLeaseKey(id: string): string {
  return `retry:${id}`;
}

export function producerKey(producer: string, epoch: string): string {
  return joinKey(producer, epoch);
}

export function rowKey(table: string, key: string): string {
  return joinKey(table, key);
}

export function dueKey(dueMs: number, row: string): string {
  return joinKey(String(dueMs), row);
}

/** An event's identity, the same for every attempt and after a replay. */
export function eventId(source: string, at: Place): string {
  return at.kind === "file"
    ? joinKey(source, "file", at.file, `${at.offset}:${at.index}`)
    : joinKey(source, "stream", at.position, String(at.index));
}
