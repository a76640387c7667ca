import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpressionError } from "./errors.js";
import { compileExpression } from "./expression.js";
import { pickPath } from "./field-path.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));

function evaluate(source: string, event: unknown): unknown {
  const expression = compileExpression(source);
  return expression.evaluate(expression.paths.map(({ keys }) => pickPath(event, keys)));
}

function failureOf(run: () => unknown): ExpressionError {
  try {
    run();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

test("numbers of JSON mix with whole and broken literals", () => {
  const event = { n: 5, x: 0.25, big: 12212359592, oid: 3, neg: -2 };
  for (const source of [
    "n > 3",
    "n + 1 == 6",
    "n % 2 == 1",
    "n == 5",
    "n == 5.0",
    "5 == n",
    "x < 0.5",
    "x * 4 == 1",
    "n / 2 == 2.5",
    "1 + n * 2.5 == 13.5",
    "n - -1 == 6",
    "-n == -5",
    "neg == -2",
    "n in [1, 5]",
    "n in [1, 2.5, 5]",
    "big == 12212359592",
    "5 / 2 == 2",
    "1 == 1.0",
    "1 < 1.5",
    "size('ab') == 2",
    "n >= oid && n != oid",
    "string(n) + 'x' == '5x'",
    "(n > 100 ? 'slow' : 'fast') == 'fast'",
  ])
    assert.equal(evaluate(source, event), true, source);
  assert.equal(evaluate("n + 1", event), 6);
  assert.equal(evaluate("1 + 1", event), 2);
  assert.equal(evaluate("size('abc')", event), 3);
  assert.equal(evaluate("uint(3)", event), 3);
});

test("fields stand under their names and under event, nested, flat and by index", () => {
  const event = {
    status: "open",
    order: { coin: "INJ" },
    "http.route": "/x",
    side_info: [{ user: "a" }],
    type: "t",
  };
  for (const source of [
    "status == 'open'",
    "event.status == 'open'",
    "event['status'] == 'open'",
    "order.coin == 'INJ'",
    "order['coin'] == 'INJ'",
    "event.order.coin == 'INJ'",
    "http.route == '/x'",
    "event['http.route'] == '/x'",
    "side_info[0].user == 'a'",
    "size(order) == 1",
    "size(event) == 5",
    "'status' in event",
    "side_info.exists(s, s.user == 'a' && status == 'open')",
    "side_info.map(status, status.user) == ['a']",
    "cel.bind(s, side_info[0], s.user == 'a')",
    "side_info.all(s, has(s.user))",
    "status.startsWith('op') && status.size() == 4",
  ])
    assert.equal(evaluate(source, event), true, source);
});

test("fields may have the names of types, and types still compare with type()", () => {
  const event = { type: "assistant", string: "s", map: { list: 1 }, n: 1, google: "g" };
  for (const source of [
    "type == 'assistant'",
    "string == 's' && map.list == 1",
    "type in ['assistant', 'user']",
    "type(n) == double",
    "double == type(n)",
    "type(n) in [int, double]",
    "type(type) == string && type == 'assistant'",
    "google == 'g'",
  ])
    assert.equal(evaluate(source, event), true, source);
});

test("paths are what the expression reads, each once", () => {
  const paths = (source: string): string[] => compileExpression(source).paths.map(({ text }) => text);

  assert.deepEqual(paths("status < 500 && status >= 400 && event.status != 404"), ["status"]);
  assert.deepEqual(paths("order.coin == 'A' || has(order.side)"), ["order.coin", "order.side"]);
  assert.deepEqual(paths("side_info[0].user"), ["side_info.0.user"]);
  assert.deepEqual(paths("items[n]"), ["items", "n"]);
  assert.deepEqual(paths("event[name] == 1"), ["event", "name"]);
  assert.deepEqual(paths("items.exists(i, i.x > limit)"), ["items", "limit"]);
  assert.deepEqual(paths("event['a.b'] == a.b"), ['event["a.b"]', "a.b"]);
  assert.deepEqual(paths("1 + 1"), []);
});

test("an absent field gives undefined, unless the rest decides", () => {
  for (const source of [
    "a",
    "a > 1",
    "a == 1",
    "a.b.c == 1",
    "n.b == 1",
    "o.z == 1",
    "a > 1 || n == 2",
    "a > 1 && n == 1",
    "!(a > 1)",
    "a + 1",
    "l[5] == 1",
    "a in [1]",
    "n in a",
    "a.matches('x')",
    "event.a == 1",
    "event[s] == 1",
    "!a",
    "nul.x == 1",
  ])
    assert.equal(evaluate(source, { n: 1, o: {}, l: [1], s: "nope", nul: null }), undefined, source);
  assert.equal(evaluate("a > 1 || n == 1", { n: 1 }), true);
  assert.equal(evaluate("a > 1 && n == 2", { n: 1 }), false);
  assert.equal(evaluate("n == null", { n: null }), true);
});

test("has() answers for every depth", () => {
  const event = { a: { b: null }, "x.y": 1, l: [{ u: 1 }] };
  for (const source of [
    "has(a)",
    "has(a.b)",
    "has(event.a)",
    "has(event.a.b)",
    "has(x.y)",
    "has(l[0].u)",
    "has(event['x.y'])",
  ])
    assert.equal(evaluate(source, event), true, source);
  for (const source of [
    "has(z)",
    "has(a.z)",
    "has(z.z.z)",
    "has(event.z)",
    "has(a.b.c)",
    "has(l[1].u)",
    "has(toString)",
  ])
    assert.equal(evaluate(source, event), false, source);
  assert.equal(evaluate("has(z) && z > 1", event), false);
  assert.equal(evaluate("!has(z) || z > 1", event), true);
});

test("wrong types fail with the place, and never answer", () => {
  const error = failureOf(() => evaluate("n > 1 &&\n  status < 500", { n: 2, status: "open" }));

  assert.equal(error.code, "EVENTS_EXPRESSION");
  assert.equal(error.phase, "evaluate");
  assert.match(error.reason, /no such overload/);
  assert.deepEqual(error.place, { line: 2, column: 3, length: 12, text: "  status < 500" });
  for (const source of [
    "status + 1",
    "status && true",
    "!status",
    "status.startsWith(1)",
    "n.size() > 1",
    "n % 0 == 1",
    "int(status)",
  ])
    assert.equal(failureOf(() => evaluate(source, { n: 2, status: "open" })).phase, "evaluate", source);
});

test("what does not compile is refused with line, column and often a hint", () => {
  const cases: [string, number, number, RegExp?][] = [
    ["status ==", 1, 10],
    ["status = 1", 1, 8, /==/],
    ["a > 1 and b > 2", 1, 7, /&&/],
    ["a > 1 &&\n b >> 2", 2, 5],
    ["package == 1", 1, 1, /event\.package/],
    ["nosuch(a)", 1, 1],
    ["a.nosuch()", 1, 1],
    ["a > 1 && 'x' < 1", 1, 10],
    ["a.matches('(')", 1, 11],
    ["'open", 1, 1],
    ["", 1, 1],
  ];
  for (const [source, line, column, hint] of cases) {
    const error = failureOf(() => compileExpression(source));
    assert.equal(error.phase, "compile", source);
    assert.deepEqual([error.place?.line, error.place?.column], [line, column], `${source}: ${error.message}`);
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
  }
  assert.match(failureOf(() => compileExpression("a".repeat(5000))).reason, /4096/);
});

test("matches() is bounded in text and pattern", () => {
  assert.equal(evaluate("s.matches('^ab+$')", { s: "abbb" }), true);
  assert.equal(evaluate("s.matches(p)", { s: "abbb", p: "x" }), false);
  assert.match(
    failureOf(() => evaluate("s.matches('x')", { s: "x".repeat(4097) })).reason,
    /^matches: the text has 4097/,
  );
  assert.match(
    failureOf(() => evaluate("s.matches(p)", { s: "x", p: "y".repeat(257) })).reason,
    /pattern has 257/,
  );
  assert.match(
    failureOf(() => evaluate("s.matches(p)", { s: "x", p: "(" })).reason,
    /matches: Invalid regular/,
  );
  assert.match(failureOf(() => evaluate("n.matches('x')", { n: 1 })).reason, /'double\.matches\(string\)'/);
});

test("nothing is read from prototypes, and fields named constructor do no harm", () => {
  for (const source of [
    "constructor",
    "toString",
    "o.constructor",
    "o.toString",
    "event.constructor",
    "event[k]",
    "o[k]",
    "l.length",
    "s.length",
    "o[k].name",
    "l[k]",
  ])
    assert.equal(evaluate(source, { o: {}, l: [1], s: "x", k: "constructor" }), undefined, source);
  failureOf(() => compileExpression("__proto__"));
  const event = JSON.parse('{"o":{"constructor":"c","x":[{"constructor":1}]},"k":"constructor"}');
  assert.equal(evaluate("o[k] == 'c' && size(o) == 2 && o.x[0].constructor == 1", event), true);
  assert.equal(evaluate("event[k] == 1 || o.x.exists(x, x[k] == 1)", event), true);
});

test("results that no event could hold are failures", () => {
  assert.match(failureOf(() => evaluate("duration('5s')", {})).reason, /duration/);
  assert.match(failureOf(() => evaluate("timestamp('2024-01-01T00:00:00Z')", {})).reason, /timestamp/);
  failureOf(() => evaluate("type(1)", {}));
});

test("rewriting keeps grouping, literals and comments", () => {
  const event = { a: 2, b: 3, c: 4, s: 'q"' };
  for (const [source, expected] of [
    ["(a + b) * c", 20],
    ["a - (b - c)", 3],
    ["a - b - c", -5],
    ["-(a + b)", -5],
    ["!(a == 2 && b == 3) || false", false],
    ["(a == 2 || b == 0) && c == 0", false],
    ["a == 2 || b == 0 && c == 0", true],
    ["(a == 2 ? b : c) + 1", 4],
    ["a == 3 ? 1 : b == 3 ? 2 : 3", 2],
    ["(a < b) == true", true],
    ["s == 'q\"' // comment", true],
    ["r'\\d' == '\\\\d'", true],
    ["'''x\ny''' == 'x\\ny'", true],
    ["{'k': a}['k'] + {'k': 1}.k", 3],
    ["[a, b].map(v, v * c)[1]", 12],
    ["(a)", 2],
    ["((((a))))+b", 5],
    ["0x10 + 1", 17],
    ["1.5 == b / a", true],
  ] as const)
    assert.equal(evaluate(source, event), expected, source);
});

test("long and deep expressions compile or are refused, and nothing overflows", () => {
  assert.equal(evaluate(Array(800).fill("n>0").join("&&"), { n: 1 }), true);
  assert.equal(evaluate(Array(800).fill("n").join("+"), { n: 1 }), 800);
  assert.equal(evaluate(`${"(".repeat(200)}n${")".repeat(200)}`, { n: 1 }), 1);
  failureOf(() => compileExpression(`${"(".repeat(1000)}n${")".repeat(1000)}`));
  failureOf(() => compileExpression(`${"[".repeat(1000)}n${"]".repeat(1000)}`));
  failureOf(() => compileExpression(`${"1.f(".repeat(1000)}n`));
});

const fieldValue = fc.oneof(
  fc.constantFrom(undefined, null, true, false, "open", "filled", "", 0, -0, 1, 1.5, 500, -3, 2 ** 53, "500"),
  fc.double({ noNaN: true }),
  fc.string({ maxLength: 3 }),
  fc.constantFrom([], {}, [1], { a: 1 }, ["open"]),
);
const literal = fc.constantFrom(
  "'open'",
  "'filled'",
  "''",
  "0",
  "1",
  "1.5",
  "500",
  "-3",
  "-0.0",
  "9007199254740993",
  "true",
  "false",
  "null",
);
const operator = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
const term = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom("a", "b", "c.d"), operator, literal).map((parts) => parts.join(" ")),
  },
  fc.tuple(literal, operator, fc.constantFrom("a", "b")).map((parts) => parts.join(" ")),
  fc.constantFrom(
    "a",
    "!a",
    "has(a)",
    "!has(c.d)",
    "b in ['open', 'filled']",
    "a in [0, 1, 1.5]",
    "a in [1, 'open']",
  ),
);
const condition = fc
  .tuple(term, fc.array(fc.tuple(fc.constantFrom("&&", "||"), term), { maxLength: 2 }))
  .map(([first, rest]) => rest.reduce((left, [joint, right]) => `(${left}) ${joint} (${right})`, first));

test("the quick way answers as the interpreter does, failures included", () => {
  fc.assert(
    fc.property(condition, fieldValue, fieldValue, fieldValue, (source, a, b, d) => {
      const event = {
        ...(a === undefined ? {} : { a }),
        ...(b === undefined ? {} : { b }),
        ...(d === undefined ? {} : { c: { d } }),
      };
      const outcome = (text: string): unknown => {
        try {
          return { value: evaluate(text, event) };
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
          return error.phase;
        }
      };

      // dyn() changes nothing but hides the shape from the quick way.
      assert.deepEqual(outcome(source), outcome(`dyn(${source})`));
    }),
    { seed, numRuns: 1500 },
  );
});
