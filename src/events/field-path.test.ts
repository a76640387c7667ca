import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldPathError } from "./errors.js";
import { parsePath, pickPath } from "./field-path.js";

function pick(json: string, path: string): unknown {
  return pickPath(JSON.parse(json), parsePath(path).keys);
}

test("parsePath() splits at dots and keeps the text", () => {
  assert.deepEqual(parsePath("order.coin"), { text: "order.coin", keys: ["order", "coin"] });
});

test("parsePath() refuses empty paths, empty parts and too many parts", () => {
  for (const text of ["", ".", "a.", ".a", "a..b", Array(33).fill("a").join(".")]) {
    assert.throws(
      () => parsePath(text),
      (error: FieldPathError) => error.code === "EVENTS_FIELD_PATH" && error.path === text,
    );
  }
  assert.throws(() => parsePath(""), FieldPathError);
});

test("pickPath() follows nesting and indexes of arrays", () => {
  assert.equal(pick('{"order":{"coin":"INJ"}}', "order.coin"), "INJ");
  assert.equal(pick('{"side_info":[{"user":"a"},{"user":"b"}]}', "side_info.1.user"), "b");
  assert.equal(pick('{"a":{"0":"key"}}', "a.0"), "key");
  assert.equal(pick('{"a":null}', "a"), null);
  assert.equal(pick('{"a":null}', "a.b"), undefined);
  assert.equal(pick('{"a":[1]}', "a.1"), undefined);
  assert.equal(pick('{"a":[1]}', "a.00"), undefined);
});

test("pickPath() tries the rest of the path as one key where the nested one is absent", () => {
  assert.equal(pick('{"order.coin":"flat"}', "order.coin"), "flat");
  assert.equal(pick('{"order.coin":"flat","order":{"coin":"nested"}}', "order.coin"), "nested");
  assert.equal(pick('{"order.coin":"flat","order":{"side":"A"}}', "order.coin"), "flat");
  assert.equal(pick('{"order.coin":"flat","order":{"coin":null}}', "order.coin"), null);
  assert.equal(pick('{"attributes":{"http.route":"/x"}}', "attributes.http.route"), "/x");
  assert.equal(pick('{"a":{"b.c":1},"a.b.c":2}', "a.b.c"), 1);
});

test("pickPath() never reads from a prototype", () => {
  for (const path of [
    "__proto__",
    "constructor",
    "toString",
    "a.__proto__",
    "a.constructor",
    "a.length",
    "a.b",
  ])
    assert.equal(pick('{"a":[1]}', path), undefined);
  assert.equal(pick('{"s":"text"}', "s.length"), undefined);
  assert.equal(pick('{"__proto__":{"x":1}}', "__proto__.x"), 1);
  assert.equal(pick('{"__proto__":{"x":1}}', "x"), undefined);
});
