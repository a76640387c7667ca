import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import protobuf from "protobufjs";
import { ProtobufReader, ProtobufWriter } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

/** Every kind of field once, and itself. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message All {
    optional uint32 a_uint32 = 1;
    optional uint64 a_uint64 = 2;
    optional int32 a_int32 = 3;
    optional int64 a_int64 = 4;
    optional sint32 a_sint32 = 5;
    optional sint64 a_sint64 = 6;
    optional bool a_bool = 7;
    optional fixed32 a_fixed32 = 8;
    optional fixed64 a_fixed64 = 9;
    optional sfixed64 a_sfixed64 = 10;
    optional double a_double = 11;
    optional string a_string = 12;
    optional bytes a_bytes = 13;
    repeated uint64 uints = 14;
    repeated sint64 sints = 15;
    repeated fixed64 fixed = 16;
    repeated double doubles = 17;
    repeated All children = 536870911;
  }
`);
const all = root.lookupType("All");

interface All {
  aUint32?: number;
  aUint64?: bigint;
  aInt32?: number;
  aInt64?: bigint;
  aSint32?: number;
  aSint64?: bigint;
  aBool?: boolean;
  aFixed32?: number;
  aFixed64?: bigint;
  aSfixed64?: bigint;
  aDouble?: number;
  aString?: string;
  aBytes?: Uint8Array;
  uints: number[];
  sints: number[];
  fixed: number[];
  doubles: number[];
  children: All[];
}

const unsigned64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const signed64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const unsigned32 = fc.integer({ min: 0, max: 0xffff_ffff });
const signed32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const { tree: anyMessage } = fc.letrec<{ tree: All }>((tie) => ({
  tree: fc.record(
    {
      aUint32: unsigned32,
      aUint64: unsigned64,
      aInt32: signed32,
      aInt64: signed64,
      aSint32: signed32,
      aSint64: signed64,
      aBool: fc.boolean(),
      aFixed32: unsigned32,
      aFixed64: unsigned64,
      aSfixed64: signed64,
      aDouble: fc.double(),
      aString: fc.string({ unit: "binary", maxLength: 300 }),
      aBytes: fc.uint8Array({ maxLength: 300 }),
      uints: fc.array(fc.maxSafeNat()),
      sints: fc.array(fc.maxSafeInteger()),
      fixed: fc.array(fc.maxSafeNat()),
      doubles: fc.array(fc.double()),
      children: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constant([]),
        fc.array(tie("tree") as fc.Arbitrary<All>, { maxLength: 3 }),
      ),
    },
    { requiredKeys: ["uints", "sints", "fixed", "doubles", "children"], noNullPrototype: true },
  ) as fc.Arbitrary<All>,
}));

function writeAll(writer: ProtobufWriter, value: All): void {
  if (value.aUint32 !== undefined) writer.uint(1, value.aUint32);
  if (value.aUint64 !== undefined) writer.uint(2, value.aUint64);
  if (value.aInt32 !== undefined) writer.int(3, value.aInt32);
  if (value.aInt64 !== undefined) writer.int(4, value.aInt64);
  if (value.aSint32 !== undefined) writer.sint(5, value.aSint32);
  if (value.aSint64 !== undefined) writer.sint(6, value.aSint64);
  if (value.aBool !== undefined) writer.bool(7, value.aBool);
  if (value.aFixed32 !== undefined) writer.fixed32(8, value.aFixed32);
  if (value.aFixed64 !== undefined) writer.fixed64(9, value.aFixed64);
  if (value.aSfixed64 !== undefined) writer.fixed64(10, value.aSfixed64);
  if (value.aDouble !== undefined) writer.double(11, value.aDouble);
  if (value.aString !== undefined) writer.string(12, value.aString);
  if (value.aBytes !== undefined) writer.bytes(13, value.aBytes);
  writer.packedUint(14, value.uints);
  writer.packedSint(15, value.sints);
  writer.packedFixed64(16, value.fixed);
  writer.packedDouble(17, value.doubles);
  for (const child of value.children) writer.message(536870911, child, writeAll);
}

function readAll(reader: ProtobufReader): All {
  const value: All = { uints: [], sints: [], fixed: [], doubles: [], children: [] };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value.aUint32 = reader.uint32();
        break;
      case 2:
        value.aUint64 = reader.uint64();
        break;
      case 3:
        value.aInt32 = reader.int32();
        break;
      case 4:
        value.aInt64 = reader.int64();
        break;
      case 5:
        value.aSint32 = reader.sint32();
        break;
      case 6:
        value.aSint64 = reader.sint64();
        break;
      case 7:
        value.aBool = reader.bool();
        break;
      case 8:
        value.aFixed32 = reader.fixed32();
        break;
      case 9:
        value.aFixed64 = reader.fixed64();
        break;
      case 10:
        value.aSfixed64 = reader.sfixed64();
        break;
      case 11:
        value.aDouble = reader.double();
        break;
      case 12:
        value.aString = reader.string();
        break;
      case 13:
        value.aBytes = Uint8Array.from(reader.bytes());
        break;
      case 14:
        reader.addUints(value.uints);
        break;
      case 15:
        reader.addSints(value.sints);
        break;
      case 16:
        reader.addFixed64s(value.fixed);
        break;
      case 17:
        reader.addDoubles(value.doubles);
        break;
      case 536870911:
        value.children.push(reader.message(readAll));
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

function written(value: All): Uint8Array {
  const writer = new ProtobufWriter(1);
  writeAll(writer, value);
  return writer.finish();
}

/** The same message as protobufjs takes it; 64-bit numbers as decimals, which keep all bits. */
function forOracle(value: All): Record<string, unknown> {
  const asText = (entry: unknown): unknown => {
    if (typeof entry === "bigint") return String(entry);
    if (!Array.isArray(entry)) return entry;
    return entry.map((one) => (typeof one === "object" ? forOracle(one as All) : one));
  };
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, asText(entry)]));
}

test("ProtobufWriter writes the bytes that protobufjs writes", () => {
  fc.assert(
    fc.property(anyMessage, (value) => {
      const expected = all.encode(all.fromObject(forOracle(value))).finish();

      const bytes = written(value);

      assert.equal(Buffer.from(bytes).toString("hex"), Buffer.from(expected).toString("hex"));
    }),
    { seed, numRuns: 300 },
  );
});

test("ProtobufReader reads what protobufjs wrote", () => {
  fc.assert(
    fc.property(anyMessage, (value) => {
      const bytes = all.encode(all.fromObject(forOracle(value))).finish();

      const read = readAll(new ProtobufReader(bytes));

      assert.deepEqual(read, value);
    }),
    { seed, numRuns: 300 },
  );
});

test("ProtobufReader reads lists that are not packed", () => {
  const { root: unpacked } = protobuf.parse(`
    syntax = "proto2";
    message Lists {
      repeated uint64 uints = 14;
      repeated sint64 sints = 15;
      repeated fixed64 fixed = 16;
      repeated double doubles = 17;
    }
  `);
  const lists = {
    uints: [0, 2 ** 53 - 1],
    sints: [-(2 ** 53) + 1, 2 ** 40, -1],
    fixed: [7, 2 ** 40],
    doubles: [0.5, -0],
  };
  const type = unpacked.lookupType("Lists");

  const read = readAll(new ProtobufReader(type.encode(type.fromObject(lists)).finish()));

  assert.deepEqual(read, { ...lists, children: [] });
});

test("ProtobufReader skips fields that nobody asks for, groups included", () => {
  // Field 3 as a group with a varint, a string and another group in it; then field 1.
  const bytes = Buffer.from(
    "1b 08 96 01 12 02 68 69 2b 0d 01 02 03 04 2c 1c 08 05".replaceAll(" ", ""),
    "hex",
  );
  const reader = new ProtobufReader(bytes);
  const seen: [number, number?][] = [];

  while (reader.next()) {
    if (reader.field === 1) seen.push([1, reader.uint32()]);
    else {
      seen.push([reader.field]);
      reader.skip();
    }
  }

  assert.deepEqual(seen, [[3], [1, 5]]);
});

test("ProtobufReader.message() passes over what was left unread in it", () => {
  const bytes = written({
    uints: [],
    sints: [],
    fixed: [],
    doubles: [],
    children: [
      { aString: "left", aUint32: 3, uints: [], sints: [], fixed: [], doubles: [], children: [] },
      { aUint32: 4, uints: [], sints: [], fixed: [], doubles: [], children: [] },
    ],
  });
  const reader = new ProtobufReader(bytes);
  const firsts: number[] = [];

  while (reader.next())
    firsts.push(
      reader.message((inner) => {
        inner.next();
        return inner.uint32();
      }),
    );

  assert.deepEqual(firsts, [3, 4]);
});

for (const [what, hex, expected] of [
  ["a varint without an end", "08ffffffffffffffffffff01", /more than 64 bits/],
  ["a varint above 64 bits", "08ffffffffffffffffff02", /more than 64 bits/],
  ["a field number 0", "0001", /field number/],
  ["a field number above 29 bits", "888080808001", /field number/],
  ["a string longer than the bytes", "0a05616263", /5 bytes wanted, 3 left/],
  ["a length of 2^64 - 1", "0affffffffffffffffff01", /cut off/],
  ["a group that does not end", "0b0801", /group 1 does not end/],
  ["a group that ends as another", "0b0801140c", /ends as group 2/],
  ["a group's end alone", "0c", /did not begin/],
  ["wire type 7", "0f", /unknown wire type 7/],
] as const)
  test(`ProtobufReader refuses ${what}`, () => {
    const reader = new ProtobufReader(Buffer.from(hex, "hex"));

    const readOn = (): void => {
      while (reader.next()) reader.skip();
    };

    assert.throws(readOn, (error) => error instanceof RangeError && expected.test(error.message));
  });

test("ProtobufReader refuses a value of another wire type, and a list of half a number", () => {
  const reads = [
    ["0801", (reader: ProtobufReader) => reader.string(), /field 1 has wire type 0, not 2/],
    ["0a0101", (reader: ProtobufReader) => reader.fixed64(), /field 1 has wire type 2, not 1/],
    ["0a03010203", (reader: ProtobufReader) => reader.addDoubles([]), /no multiple of 8/],
  ] as const;
  for (const [hex, read, expected] of reads) {
    const reader = new ProtobufReader(Buffer.from(hex, "hex"));
    reader.next();

    assert.throws(() => read(reader), expected);
  }
});

test("ProtobufReader refuses a value that runs out of its message, although more bytes follow", () => {
  for (const inMessage of ["620561", "08", "0880", "5900", "7202"]) {
    const length = (inMessage.length / 2).toString(16).padStart(2, "0");
    const bytes = Buffer.from(`faffffff0f${length}${inMessage}${"01".repeat(20)}`, "hex");

    assert.throws(() => readAll(new ProtobufReader(bytes)), /cut off/, inMessage);
  }
});

test("ProtobufReader refuses more levels and bytes than it was told to take", () => {
  let deep = new Uint8Array();
  for (let level = 0; level < 5; level += 1) {
    const writer = new ProtobufWriter();
    writer.bytes(536870911, deep);
    deep = writer.finish();
  }
  const groups = Buffer.from(`${"fb01".repeat(5)}${"fc01".repeat(5)}`, "hex");

  assert.equal(readAll(new ProtobufReader(deep, { depthMax: 5 })).children.length, 1);
  assert.throws(() => readAll(new ProtobufReader(deep, { depthMax: 4 })), /more than 4 levels/);
  assert.throws(() => readAll(new ProtobufReader(groups, { depthMax: 4 })), /more than 4 levels/);
  assert.throws(() => new ProtobufReader(deep, { bytesMax: deep.length - 1 }), RangeError);
});

test("ProtobufReader ends with RangeError or a message on any bytes, and reads none past the end", () => {
  const mutated = fc
    .tuple(anyMessage, fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }))
    .map(([value, cut, changes]) => {
      const bytes = written(value);
      for (const [at, to] of changes) if (bytes.length > 0) bytes[at % bytes.length] = to;
      return cut % 2 === 0 ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      // Twice, with other bytes after the end: were one of them read, the outcomes would differ.
      const outcomes = [0x00, 0x81].map((filler) => {
        const memory = new Uint8Array(bytes.length + 64).fill(filler);
        memory.set(bytes);
        try {
          return readAll(new ProtobufReader(memory.subarray(0, bytes.length)));
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
          return error.message;
        }
      });

      assert.deepEqual(outcomes[0], outcomes[1]);
    }),
    { seed, numRuns: 3000 },
  );
});

test("ProtobufReader refuses a message that was cut off in the middle of a field", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 300 }), fc.nat(), (text, cut) => {
      const writer = new ProtobufWriter();
      writer.string(12, text);
      const bytes = writer.finish();

      const part = bytes.subarray(0, 1 + (cut % (bytes.length - 1)));

      assert.throws(() => readAll(new ProtobufReader(part)), RangeError);
    }),
    { seed, numRuns: 200 },
  );
});

test("ProtobufWriter.string() writes U+FFFD for lone surrogates, in short and long texts", () => {
  for (const text of ["\ud800", "a\udc00b", `${"x".repeat(200)}\ud83d`, "\ud83d\ude00 whole", "\0"]) {
    const writer = new ProtobufWriter();

    writer.string(1, text);

    const reader = new ProtobufReader(writer.finish());
    reader.next();
    assert.equal(reader.string(), Buffer.from(text).toString());
  }
});

test("ProtobufWriter.delimited() writes a stream of messages, and finish() empties the writer", () => {
  const writer = new ProtobufWriter();
  const texts = ["", "a", "b".repeat(200), "c".repeat(20_000)];
  const lengths: number[] = [];

  const chunks = texts.map((text) => {
    writer.delimited(text, (inner, value) => inner.string(12, value));
    lengths.push(writer.length);
    return writer.finish();
  });

  const reader = protobuf.Reader.create(Buffer.concat(chunks));
  const decoded = texts.map(() => all.toObject(all.decodeDelimited(reader)).aString);
  assert.deepEqual(decoded, texts);
  assert.equal(reader.pos, reader.len);
  assert.deepEqual(
    lengths,
    chunks.map((chunk) => chunk.length),
  );
});
