import assert from "node:assert/strict";
import { test } from "node:test";
import { storeContract } from "../../../test/kit/store-contract/index.js";
import { openMemoryStore } from "./memory-store.js";

storeContract("memory", async (options) => openMemoryStore(options));

test("openMemoryStore() has a generation of its own each time", async () => {
  await using first = openMemoryStore();
  await using second = openMemoryStore();

  assert.notEqual((await first.info()).generation, (await second.info()).generation);
  assert.deepEqual((await first.info()).durability, "none");
});

test("openMemoryStore() refuses levels that don't nest", () => {
  const levels = [
    { widthMs: 1_000, keepMs: 10_000 },
    { widthMs: 1_500, keepMs: 20_000 },
  ];

  assert.throws(() => openMemoryStore({ levels }), { code: "OPTION_INVALID" });
});
