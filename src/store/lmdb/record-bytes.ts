import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ByteReader, ByteWriter } from "../../base/index.js";
import { decodeRecord, encodeRecord } from "../codecs.js";
import type { Records, TableName, Write } from "../tables.js";
import type { RawWrite } from "./redo-log.js";

/** In the file a table is the first byte of its keys. Numbers are never reused for another table. */
const tableBytes: Readonly<Record<TableName, number>> = {
  meta: 1,
  metrics: 2,
  groups: 3,
  cells: 4,
  totals: 5,
  watermarks: 6,
  ledger: 7,
  deadLetters: 8,
  retries: 9,
  frames: 10,
  leases: 11,
  producers: 12,
  rows: 13,
  lanes: 14,
  claims: 15,
  due: 16,
};

const tableOfByte = new Map(Object.entries(tableBytes).map(([name, byte]) => [byte, name as TableName]));

/** LMDB takes 1,978; longer ones stand under their hash, with the key itself beside the record. */
const keyBytesMax = 1_000;

const plainKey = 0;
const hashedKey = 1;
const hashBytes = 32;

const noBytes = new Uint8Array(0);

/** What a write of a step is in the file. */
export function rawWrite(write: Write): RawWrite {
  const key = keyBytes(write.table, write.key);
  return { key, value: write.record === undefined ? undefined : valueBytes(write, key) };
}

/** Table u8 · form u8 · the key as UTF-8, or its SHA-256. */
function keyBytes(table: TableName, key: string): Buffer {
  const isLong = !isPlain(key);
  const stored = Buffer.allocUnsafe(2 + (isLong ? hashBytes : Buffer.byteLength(key)));
  stored[0] = tableBytes[table];
  stored[1] = isLong ? hashedKey : plainKey;
  if (isLong) createHash("sha256").update(Buffer.from(key, "utf16le")).digest().copy(stored, 2);
  else stored.write(key, 2);
  return stored;
}

/** CRC-32 of all that follows and of the key (u32, little endian) · the key when it is hashed · the record. */
function valueBytes(write: Write, stored: Buffer): Buffer {
  const head = stored[1] === hashedKey ? keyText(write.key) : noBytes;
  const record = encodeRecord(write.table, write.record as Records[TableName]);
  const value = Buffer.allocUnsafe(4 + head.length + record.length);
  value.set(head, 4);
  value.set(record, 4 + head.length);
  value.writeUInt32LE(checksum(stored, value), 0);
  return value;
}

export interface StoredRecord {
  readonly table: TableName;
  readonly key: string;
  readonly record: Records[TableName];
}

/** @throws RangeError or SyntaxError when the bytes are not what they were written as */
export function decodeStored(stored: Uint8Array, value: Buffer): StoredRecord {
  const table = tableOfByte.get(stored[0] ?? 0);
  if (table === undefined) throw new RangeError(`unknown table ${stored[0]}`);
  if (value.length < 4 || value.readUInt32LE(0) !== checksum(stored, value))
    throw new RangeError(`a record of table ${table} does not match its checksum`);
  if (stored[1] !== hashedKey) {
    const key = Buffer.from(stored.buffer, stored.byteOffset + 2, stored.byteLength - 2).toString();
    return { table, key, record: decodeRecord(table, value.subarray(4)) };
  }
  const reader = new ByteReader(value.subarray(4));
  const key = reader.string();
  return { table, key, record: decodeRecord(table, value.subarray(4 + keyText(key).length)) };
}

function keyText(key: string): Uint8Array {
  const writer = new ByteWriter(key.length + 16);
  writer.string(key);
  return writer.finish();
}

/** UTF-8 would turn different keys with lone surrogates into the same bytes. */
function isPlain(key: string): boolean {
  // In Node 20, and not yet in the ES2023 library types.
  return key.length * 3 <= keyBytesMax && (key as string & { isWellFormed(): boolean }).isWellFormed();
}

function checksum(stored: Uint8Array, value: Buffer): number {
  return crc32(value.subarray(4), crc32(stored));
}
