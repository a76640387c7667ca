import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileDecoder } from "./decoder.js";
import { type FieldPath, parsePath, pickPath } from "./field-path.js";
import { JsonDecoder } from "./json-decoder.js";
import { mutate, randomFrom, sampleLines, samplePaths } from "./json-lines.testkit.js";
import { LearntShape } from "./learnt-shape.js";
import { ShapeDecoder } from "./shape-decoder.js";
import { collect } from "./sink.testkit.js";
import { wantedFields } from "./wanted-fields.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const fuzzRuns = Number(process.env.POUNDLOCK_FUZZ_RUNS ?? 20_000);

function learn(line: string, paths: readonly FieldPath[]): LearntShape | undefined {
  return LearntShape.of(JSON.parse(line), wantedFields(paths), paths.length);
}

/** What JSON.parse and the paths say; undefined when it is no JSON object. */
function expected(line: string, paths: readonly FieldPath[]): unknown[] | undefined {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || Array.isArray(event)) return undefined;
    return paths.map(({ keys }) => pickPath(event, keys));
  } catch {
    return undefined;
  }
}

/** Asserts that the shape, where it matches, says what JSON.parse says; whether it matches. */
function matchesExactly(shape: LearntShape, line: string, paths: readonly FieldPath[]): boolean {
  const values: unknown[] = new Array(paths.length).fill("stale");
  const text = `"\\{\n${line}\n{"status":1}`;
  if (!shape.match(text, 4, 4 + line.length, values)) return false;
  assert.deepStrictEqual(values, expected(line, paths), `seed ${seed}: ${JSON.stringify(line)}`);
  return true;
}

test("LearntShape matches the line that it was learnt from, and lines with other values", () => {
  for (const line of sampleLines) {
    for (const texts of samplePaths) {
      const paths = texts.map(parsePath);
      const shape = learn(line, paths);
      assert.ok(shape !== undefined && matchesExactly(shape, line, paths), line);
      assert.ok(matchesExactly(shape, line.replace(/"(?:open|canceled|assistant)"/, "-1.5e3"), paths), line);
    }
  }
});

test("LearntShape prefers the deepest nesting, as pickPath does", () => {
  const paths = ["a.b.c", "a.b", "a", "a.0.c"].map(parsePath);
  for (const line of [
    '{"a.b.c":1,"a":{"b.c":2,"b":{"c":3}},"a.b":{"c":4}}',
    '{"a.b.c":1,"a":{"b.c":2,"b":{"d":3}},"a.b":{"c":4}}',
    '{"a.b.c":1,"a":{"b":[]},"a.b":4}',
    '{"a.b.c":null,"a":[{"c":5}],"a.0.c":6}',
    '{"a.b.c":null,"a":[{"d":5}],"a.0.c":6}',
  ])
    assert.ok(matchesExactly(learn(line, paths)!, line, paths), line);
});

test("LearntShape never matches what is not JSON or of another shape", () => {
  const paths = ["a", "o.b", "o"].map(parsePath);
  const shape = learn('{"a":"x","o":{"b":1},"l":[1]}', paths)!;
  for (const line of [
    '{"a":"x","o":{"b":1},"l":[1]',
    '{"a":"x","o":{"b":1},"l":[1]}}',
    '{"a":"x","o":{"b":1},"l":[1],}',
    '{"a":"x","o":{"b":1},"l":[1,]}',
    '{"a":"x","o":{"b":1},"l":[1, ]}',
    '{"a":"x","o":{"b":01},"l":[1]}',
    '{"a":"x","o":{"b":1.},"l":[1]}',
    '{"a":"x","o":{"b":-},"l":[1]}',
    '{"a":"x\t","o":{"b":1},"l":[1]}',
    '{"a":"\\x","o":{"b":1},"l":[1]}',
    '{"a":"x","o":{"b":1},"l":[{"k":1,}]}',
    '{"a":"x","o":{"b":1},"l":[{"k":1, }]}',
    '{"a":"x","a":"y","o":{"b":1},"l":[1]}',
    '{"a":"x","o":{"b":1,"b":2},"l":[1]}',
    '{"a":"x","o":{"b":1},"o":{"b":2},"l":[1]}',
    '{"a":"x","o":{"b":1},"l":[1],"\\u0061":2}',
    '{"\\u0061":"x","o":{"b":1},"l":[1]}',
    '{"a":"x","o":null,"l":[1]}',
    "",
    "{}",
  ])
    assert.equal(matchesExactly(shape, line, paths), false, line);
});

test("LearntShape agrees with JSON.parse on mutated lines wherever it matches", () => {
  const random = randomFrom(seed);
  const learners = samplePaths.map((texts) => {
    const paths = texts.map(parsePath);
    return { paths, shapes: sampleLines.map((line) => learn(line, paths)!) };
  });
  let matched = 0;
  for (let run = 0; run < fuzzRuns; run++) {
    const which = Math.floor(random() * sampleLines.length);
    const line = mutate(sampleLines[which]!, random);
    const { paths, shapes } = learners[run % learners.length]!;
    if (matchesExactly(shapes[which]!, line, paths)) matched += 1;
  }
  assert.ok(
    matched > fuzzRuns / 20,
    `only ${matched} of ${fuzzRuns} lines were matched: the test says little`,
  );
});

test("ShapeDecoder says what JsonDecoder says, line after line, failures and arrays included", () => {
  const random = randomFrom(seed + 1);
  for (const texts of samplePaths) {
    const paths = texts.map(parsePath);
    const quick = new ShapeDecoder(paths);
    const exact = new JsonDecoder(paths);
    for (let run = 0; run < fuzzRuns / 20; run++) {
      const sample = sampleLines[Math.floor(random() * (run < 200 ? 2 : sampleLines.length))]!;
      const line = random() < 0.7 ? sample : random() < 0.05 ? `[${sample},1]` : mutate(sample, random);
      assert.deepStrictEqual(collect(quick, line), collect(exact, line), `seed ${seed + 1}: ${line}`);
    }
  }
});

const key = fc.oneof(
  fc.constantFrom("a", "b", "a.b", "0", "1", "__proto__", "constructor", "", 'q"', "ü", "\ud800", "toString"),
  fc.string({ maxLength: 2 }),
);
const { value: jsonValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      false,
      0,
      -0,
      1e21,
      "",
      "x",
      "a long text of more than thirteen units",
      "\u2028\n",
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((entries) => {
      // Own properties, as JSON.parse makes them, whatever the key.
      const made = {};
      for (const [name, value] of entries)
        Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
      return made;
    }),
  ),
}));

test("every decoder of JSON agrees with JSON.parse on generated lines, seen before or not", () => {
  const texts = ["a", "b", "a.b", "b.a.b", "a.0", "a.0.b", "0", "__proto__.a", "constructor", "b.1.a"];
  const paths = texts.map(parsePath);
  fc.assert(
    fc.property(
      fc.array(jsonValue, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0, 1),
      (values, indent) => {
        const quick = compileDecoder({ kind: "json" }, paths);
        const exact = new JsonDecoder(paths);
        const lines = values.map((value) => JSON.stringify(value, null, indent).replaceAll("\n", " "));
        for (const line of [...lines, ...lines])
          assert.deepStrictEqual(collect(quick, line), collect(exact, line), line);
      },
    ),
    { seed, numRuns: 400 },
  );
});

test("ShapeDecoder keeps deciding rightly when it gives up and learns anew", () => {
  const paths = [parsePath("k7"), parsePath("x")];
  const quick = new ShapeDecoder(paths);
  const exact = new JsonDecoder(paths);
  for (let i = 0; i < 6000; i++) {
    const keys = i < 3000 ? `"k${i % 97}":${i},"x":"${i}"` : `"x":"${i}","k7":${i}`;
    const line = `{${keys}}`;
    assert.deepStrictEqual(collect(quick, line), collect(exact, line));
  }
});

test("ShapeDecoder takes very long lines, very deep ones and very many keys", () => {
  const quick = new ShapeDecoder(["a", "l", "k3"].map(parsePath));
  const lines = [
    `{"l":[${Array(200_000).fill('{"x":"y"}').join(",")}],"a":1}`,
    `{"a":1,"l":"${"x".repeat(1_000_000)}"}`,
    `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`.replace('"a":', '"z":'),
    `{${Array.from({ length: 250 }, (_, i) => `"k${i}":{"y":[1,"2"]}`).join(",")},"a":2}`,
    `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":${i}`).join(",")},"a":3}`,
  ];
  for (const line of [...lines, ...lines]) {
    const { events, failures } = collect(quick, line);
    assert.deepEqual(failures, []);
    assert.deepEqual(events[0]![0], JSON.parse(line).a);
  }
});
