import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { inRoot } from "../../scripts/paths.mjs";

for (const [form, args] of [
  ["one process", []],
  ["a cluster of two", ["--cluster"]],
])
  test(`examples/rag-service as ${form}: what clients saw is what the service counted`, () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [inRoot("examples/rag-service/load.mjs"), "--json", "--users", "12", "--requests", "30", ...args],
      { encoding: "utf8", timeout: 60_000 },
    );

    assert.equal(status, 0, stdout + stderr);
    const { compared, requests, serverLatencyMs } = JSON.parse(stdout);
    assert.equal(requests, 360);
    const client = Object.fromEntries(compared.map((row) => [row.name, row.client]));
    const server = Object.fromEntries(compared.map((row) => [row.name, row.server]));
    assert.deepEqual(server, client);
    // A comparison of zeros would show nothing.
    for (const [name, count] of Object.entries(client)) assert.ok(count > 0, `no ${name}`);
    assert.deepEqual(Object.keys(client), [
      "requests_total",
      "errors_total",
      "cache_hits_total",
      "rate_limited_total",
      "errors: 4xx",
      "errors: 5xx",
      "errors: aborted",
      "errors: exception",
      "errors: timeout",
      "errors: validation",
    ]);
    assert.equal(serverLatencyMs.samples, 360);
  });
