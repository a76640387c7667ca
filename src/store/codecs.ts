import { ByteReader, ByteWriter, copyBytes } from "../base/index.js";
import { type Cell, type CellKind, decodeCell, encodeCell } from "./cell.js";
import type { DeadLetter } from "./contract.js";
import type { Group } from "./group.js";
import type {
  CellRecord,
  FrameRecord,
  GroupRecord,
  LaneRecord,
  LedgerRecord,
  Records,
  RetryRecord,
  TableName,
  TotalRecord,
} from "./tables.js";

/** How the records of one table become bytes. Nothing of the key is in them unless the record has it. */
export interface Codec<Value> {
  encode(writer: ByteWriter, value: Value): void;
  /** Owns its memory: nothing of it is a view on the reader's bytes. */
  decode(reader: ByteReader): Value;
}

/** Appends nothing else to what it makes; alone in its buffer. */
export function encodeRecord<Name extends TableName>(table: Name, record: Records[Name]): Uint8Array {
  const writer = new ByteWriter(64);
  (tableCodecs[table] as Codec<Records[Name]>).encode(writer, record);
  return writer.finish();
}

/** @throws RangeError or SyntaxError when the bytes are not what `encodeRecord` made for this table */
export function decodeRecord<Name extends TableName>(table: Name, bytes: Uint8Array): Records[Name] {
  return (tableCodecs[table] as Codec<Records[Name]>).decode(new ByteReader(bytes));
}

/** For records of plain JSON data that are few or rarely written. */
function json<Value>(): Codec<Value> {
  return {
    encode: (writer, value) => writer.string(JSON.stringify(value)),
    decode: (reader) => JSON.parse(reader.string()) as Value,
  };
}

/** JSON beside one byte string, which JSON would blow up. */
function jsonWithBytes<Value>(
  split: (value: Value) => readonly [rest: object, bytes: Uint8Array],
  join: (rest: never, bytes: Uint8Array) => Value,
): Codec<Value> {
  return {
    encode(writer, value) {
      const [rest, bytes] = split(value);
      writer.string(JSON.stringify(rest));
      writer.bytes(bytes);
    },
    decode(reader) {
      const rest = JSON.parse(reader.string()) as never;
      return join(rest, copyBytes(reader.bytes()));
    },
  };
}

const kinds: readonly CellKind[] = ["count", "sum", "gauge", "distribution"];

function encodeAnyCell(writer: ByteWriter, cell: Cell): void {
  writer.u8(kinds.indexOf(cell.kind));
  encodeCell(writer, cell);
}

function decodeAnyCell(reader: ByteReader): Cell {
  const kind = kinds[reader.u8()];
  if (kind === undefined) throw new RangeError("Cannot decode cell: unknown kind");
  return decodeCell(reader, kind);
}

const groupCodec: Codec<GroupRecord> = {
  encode(writer, record) {
    writer.varint(record.metricId);
    writer.varint(record.id);
    writer.varint(record.group.length);
    for (const value of record.group) {
      writer.u8(value === null ? 0 : 1);
      if (value !== null) writer.string(value);
    }
  },
  decode(reader) {
    const metricId = reader.varint();
    const id = reader.varint();
    const group: Group[number][] = [];
    for (let left = reader.varint(); left > 0; left -= 1)
      group.push(reader.u8() === 0 ? null : reader.string());
    return { metricId, id, group };
  },
};

const cellCodec: Codec<CellRecord> = {
  encode(writer, record) {
    writer.varint(record.metricId);
    writer.varint(record.groupId);
    writer.u8(record.level);
    writer.signedVarint(record.startMs);
    encodeAnyCell(writer, record.cell);
  },
  decode: (reader) => ({
    metricId: reader.varint(),
    groupId: reader.varint(),
    level: reader.u8(),
    startMs: reader.signedVarint(),
    cell: decodeAnyCell(reader),
  }),
};

const totalCodec: Codec<TotalRecord> = {
  encode(writer, record) {
    writer.varint(record.metricId);
    writer.varint(record.groupId);
    encodeAnyCell(writer, record.cell);
  },
  decode: (reader) => ({
    metricId: reader.varint(),
    groupId: reader.varint(),
    cell: decodeAnyCell(reader),
  }),
};

const ledgerCodec: Codec<LedgerRecord> = {
  encode: (writer, record) =>
    writer.string(JSON.stringify({ ...record, lost: [...record.lost], absent: [...record.absent] })),
  decode(reader) {
    const plain = JSON.parse(reader.string()) as LedgerRecord & {
      lost: [string, number][];
      absent: [string, number][];
    };
    return { ...plain, lost: new Map(plain.lost), absent: new Map(plain.absent) };
  },
};

const frameCodec: Codec<FrameRecord> = jsonWithBytes(
  ({ sequence, frame: { payload, ...frame } }) => [{ sequence, frame }, payload],
  (rest: FrameRecord, payload) => ({ sequence: rest.sequence, frame: { ...rest.frame, payload } }),
);

const laneCodec: Codec<LaneRecord> = {
  encode(writer, record) {
    writer.varint(record.token);
    writer.bytes(record.state);
  },
  decode: (reader) => ({ token: reader.varint(), state: copyBytes(reader.bytes()) }),
};

const deadLetterCodec: Codec<DeadLetter> = jsonWithBytes(
  ({ bytes, ...rest }) => [rest, bytes],
  (rest: DeadLetter, bytes) => ({ ...rest, bytes }),
);

const retryCodec: Codec<RetryRecord> = jsonWithBytes(
  ({ bytes, ...rest }) => [rest, bytes],
  (rest: RetryRecord, bytes) => ({ ...rest, bytes }),
);

export const tableCodecs: { readonly [Name in TableName]: Codec<Records[Name]> } = {
  meta: json(),
  metrics: json(),
  groups: groupCodec,
  cells: cellCodec,
  totals: totalCodec,
  watermarks: json(),
  ledger: ledgerCodec,
  deadLetters: deadLetterCodec,
  retries: retryCodec,
  frames: frameCodec,
  leases: json(),
  producers: json(),
  rows: json(),
  lanes: laneCodec,
  claims: json(),
  due: json(),
};
