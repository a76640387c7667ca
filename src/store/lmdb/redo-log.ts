import { closeSync, constants, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

/** One record to put under a key, or with `undefined` to delete; both as the database has them. */
export interface RawWrite {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

/** One step as the log has it. Sequences rise by one, over all restarts. */
export interface LoggedStep {
  readonly sequence: number;
  readonly writes: readonly RawWrite[];
}

export interface RecoveredLog {
  /** The steps after `after`, without gap. */
  readonly steps: readonly LoggedStep[];
  /** Whether the log begins later than the database ends, so that none of it can be used. */
  readonly isDetached: boolean;
}

const headBytes = 16;
const lengthBytes = 4;
/** In place of a value's length: the key is deleted. */
const noValue = 0xffff_ffff;

/**
 * Steps that the database doesn't have yet. Written in place from the start of the file in each round, so that a round
 * after the first allocates nothing; remains of earlier rounds are told by their sequence. Layout of each step:
 *
 *     CRC-32 of all that follows   u32, little endian
 *     length of the writes         u32
 *     sequence                     u64
 *     writes                       count u32, then each: length of key u32 · length of value u32 · key · value
 *
 * A step is in the page cache when `append` returns, so it outlives its process; not yet the machine: see `flush`.
 */
export class RedoLog {
  readonly #descriptor: number;
  #length = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** Bytes of this round. */
  get length(): number {
    return this.#length;
  }

  /** Keeps the whole step or throws; a step that was cut short is overwritten by the next. */
  append(step: LoggedStep): void {
    const bytes = encodeStep(step);
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#length + done);
    }
    this.#length += bytes.length;
  }

  /** Resolves when all that was appended before the call is on the disk. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) =>
      fdatasync(this.#descriptor, (error) => (error === null ? resolve() : reject(error))),
    );
  }

  /** Begins the next round: the database has every step appended so far. */
  restart(): void {
    this.#length = 0;
  }

  /** Gives the space back; only right when the database has every step. */
  clear(): void {
    ftruncateSync(this.#descriptor, 0);
    this.#length = 0;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Reads what an earlier process left: every whole step after `after`, up to the first that is not. */
export function recoverLog(path: string, after: number): RecoveredLog {
  const bytes = readFileSync(path, { flag: "a+" });
  const steps: LoggedStep[] = [];
  let previous: number | undefined;
  let offset = 0;
  for (;;) {
    const step = decodeStep(bytes, offset);
    if (step === undefined || (previous !== undefined && step.sequence !== previous + 1)) break;
    if (previous === undefined && step.sequence > after + 1) return { steps: [], isDetached: true };
    if (step.sequence > after) steps.push(step);
    previous = step.sequence;
    offset += headBytes + bytes.readUInt32LE(offset + 4);
  }
  return { steps, isDetached: false };
}

function encodeStep({ sequence, writes }: LoggedStep): Buffer {
  const bytes = Buffer.allocUnsafe(
    writes.reduce((sum, write) => sum + rawBytes(write), headBytes + lengthBytes),
  );
  bytes.writeUInt32LE(bytes.length - headBytes, 4);
  bytes.writeBigUInt64LE(BigInt(sequence), 8);
  let offset = bytes.writeUInt32LE(writes.length, headBytes);
  for (const { key, value } of writes) {
    offset = bytes.writeUInt32LE(key.length, offset);
    offset = bytes.writeUInt32LE(value?.length ?? noValue, offset);
    offset += key.copy(bytes, offset);
    offset += value?.copy(bytes, offset) ?? 0;
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

function rawBytes({ key, value }: RawWrite): number {
  return 2 * lengthBytes + key.length + (value?.length ?? 0);
}

/** Undefined when there is no whole step at the offset. */
function decodeStep(bytes: Buffer, offset: number): LoggedStep | undefined {
  if (offset + headBytes > bytes.length) return undefined;
  const end = offset + headBytes + bytes.readUInt32LE(offset + 4);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(offset + 4, end)) !== bytes.readUInt32LE(offset)) return undefined;
  const sequence = Number(bytes.readBigUInt64LE(offset + 8));
  const writes: RawWrite[] = [];
  let at = offset + headBytes + lengthBytes;
  for (let left = bytes.readUInt32LE(offset + headBytes); left > 0; left -= 1) {
    const keyEnd = at + 2 * lengthBytes + bytes.readUInt32LE(at);
    const valueLength = bytes.readUInt32LE(at + lengthBytes);
    const key = bytes.subarray(at + 2 * lengthBytes, keyEnd);
    const hasValue = valueLength !== noValue;
    at = hasValue ? keyEnd + valueLength : keyEnd;
    writes.push({ key, value: hasValue ? bytes.subarray(keyEnd, at) : undefined });
  }
  return { sequence, writes };
}
