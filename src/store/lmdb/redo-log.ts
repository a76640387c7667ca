import { closeSync, constants, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { ByteReader, ByteWriter } from "../../base/index.js";

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

/**
 * Steps that the database doesn't have yet. Written in place from the start of the file in each round, so that a round
 * after the first allocates nothing; remains of earlier rounds are told by their sequence. Layout of each step:
 *
 *     CRC-32 of all that follows   u32, little endian
 *     length of the writes         u32
 *     sequence                     u64
 *     writes                       count, then each: key · u8 1 + value, or u8 0
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
  const writer = new ByteWriter(16 * 1024);
  for (let head = 0; head < headBytes; head += 8) writer.f64(0);
  writer.varint(writes.length);
  for (const { key, value } of writes) {
    writer.bytes(key);
    writer.u8(value === undefined ? 0 : 1);
    if (value !== undefined) writer.bytes(value);
  }
  const whole = writer.finish();
  const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  bytes.writeUInt32LE(bytes.length - headBytes, 4);
  bytes.writeBigUInt64LE(BigInt(sequence), 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** Undefined when there is no whole step at the offset. */
function decodeStep(bytes: Buffer, offset: number): LoggedStep | undefined {
  if (offset + headBytes > bytes.length) return undefined;
  const end = offset + headBytes + bytes.readUInt32LE(offset + 4);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(offset + 4, end)) !== bytes.readUInt32LE(offset)) return undefined;
  const sequence = Number(bytes.readBigUInt64LE(offset + 8));
  const reader = new ByteReader(bytes.subarray(offset + headBytes, end));
  const writes: RawWrite[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    const key = asBuffer(reader.bytes());
    writes.push({ key, value: reader.u8() === 1 ? asBuffer(reader.bytes()) : undefined });
  }
  return { sequence, writes };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
