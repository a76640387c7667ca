import type { Steps } from "../snapshots/in-turns.js";

/** Marks our messages on a channel that others use too; the number is the version of what follows. */
const tag = "poundlock.metrics";
const version = 1;

/** A process's numbers since its start, so that a later report makes earlier ones superfluous. */
export interface Report {
  /** Of the registry's life in its process, never reused: a pid is, sooner or later. */
  readonly instance: string;
  /** Rises by one with each report of the instance; a report that is not the newest is worth nothing. */
  readonly sequence: number;
  /** Newest question that was known when the snapshot was taken; 0 when none was. */
  readonly answers: number;
  /** The process reports no more. */
  readonly isLast: boolean;
  /** As `encodeSnapshot` writes it; in base64 where the channel knows JSON only. */
  readonly snapshot: Uint8Array | string;
}

export interface Question {
  readonly instance: string;
  /** Rises by one with each question to the instance, from 1. */
  readonly ask: number;
}

export function reportMessage(report: Report): object {
  return { [tag]: version, ...report };
}

export function questionMessage(question: Question): object {
  return { [tag]: version, ...question };
}

/** Whether a message is ours; anything else on the channel is somebody else's and none of our business. */
export function isOurs(message: unknown): message is Readonly<Record<string, unknown>> {
  return typeof message === "object" && message !== null && Object.hasOwn(message, tag);
}

/** Undefined when it is no report that this version knows. */
export function readReport(message: Readonly<Record<string, unknown>>): Report | undefined {
  const { instance, sequence, answers, isLast, snapshot } = message;
  const isBytes = typeof snapshot === "string" || snapshot instanceof Uint8Array;
  if (message[tag] !== version || !isInstance(instance) || !isBytes) return undefined;
  if (!isCount(sequence) || !isCount(answers) || typeof isLast !== "boolean") return undefined;
  return { instance, sequence, answers, isLast, snapshot };
}

/** Undefined when it is no question that this version knows. */
export function readQuestion(message: unknown): Question | undefined {
  if (!isOurs(message)) return undefined;
  const { instance, ask } = message;
  return message[tag] === version && isInstance(instance) && isCount(ask) ? { instance, ask } : undefined;
}

/** Length of a report's snapshot in bytes, before anything is decoded. */
export function snapshotBytesOf({ snapshot }: Report): number {
  return typeof snapshot === "string" ? Math.floor((snapshot.length * 3) / 4) : snapshot.length;
}

export function bytesOf({ snapshot }: Report): Uint8Array {
  return typeof snapshot === "string" ? Buffer.from(snapshot, "base64") : snapshot;
}

/** Bytes that one step turns into text, a tenth of a millisecond; of three bytes each four characters are made. */
const textBytesPerStep = 3 * 2 ** 14;

/** As a report holds it on a channel that knows JSON only. */
export function* textOf(bytes: Uint8Array): Steps<string> {
  let text = "";
  for (let at = 0; at < bytes.length; at += textBytesPerStep) {
    text += Buffer.from(bytes.subarray(at, at + textBytesPerStep)).toString("base64");
    yield;
  }
  return text;
}

/** Up to two more than asked for. */
export function firstBytesOf({ snapshot }: Report, bytes: number): Uint8Array {
  if (typeof snapshot !== "string") return snapshot.subarray(0, bytes);
  return Buffer.from(snapshot.slice(0, Math.ceil(bytes / 3) * 4), "base64");
}

/** Short enough to be kept for ever in some thousands. */
function isInstance(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 64;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
