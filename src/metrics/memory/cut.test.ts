import assert from "node:assert/strict";
import { test } from "node:test";
import { openRegistry } from "../index.js";
import { Cut } from "./cut.js";
import { Segment } from "./segment.js";

test("Cut.isValid() says no once another reader has moved the epoch on, also for threads that had come on", () => {
  const registry = openRegistry({ name: "cut.test", reserveBytes: 8 * 2 ** 20 });
  const counter = registry.counter("counter");
  const segment = new Segment(registry.buffer);
  counter.add();
  const cut = new Cut(segment);
  counter.add();
  cut.again();
  assert.ok(cut.isValid());

  new Cut(segment);

  assert.ok(!cut.isCurrent());
  counter.add();
  assert.ok(!cut.isValid());
});
