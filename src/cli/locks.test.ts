import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { FakeSource } from "../../test/kit/fake-source.js";
import { until } from "../../test/kit/until.js";
import { LockDomain, locksDocument, signalReportPath } from "../locks/index.js";
import { openServer } from "../server/index.js";
import { folderWith, runHere } from "./cli.testkit.js";

const locksUrl = new URL("../locks/index.js", import.meta.url).href;

/** A process that does `body`, and then reports its locks into the folder. */
async function reporting(t: TestContext, folder: string, body: string): Promise<ChildProcess> {
  const source = `import { LockDomain, reportOnSignal } from ${JSON.stringify(locksUrl)};
    setInterval(() => {}, 1000); ${body}; reportOnSignal({ folder: ${JSON.stringify(folder)} });`;
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], { env, stdio: "ignore" });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await until("it reports", () => existsSync(signalReportPath(folder, child.pid!)));
  return child;
}

const deadlock = `
  const domain = new LockDomain({ name: "shop" });
  const a = domain.mutex("a");
  const b = domain.mutex("b");
  const both = (first, second) => first.run(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    // With a limit of its own it is a stall: a deadlock without one would be refused at once.
    await second.run({ waitMs: 60_000 }, () => {});
  });
  both(a, b);
  both(b, a);
  while (a.waiting + b.waiting < 2) await new Promise((resolve) => setImmediate(resolve));
`;

test("poundlock locks shows the locks of the server that it asks", async (t) => {
  const source = new FakeSource(0);
  const server = await openServer({ source, port: 0 });
  t.after(() => server.close());
  const domain = new LockDomain({ name: "served" });
  using _hold = await domain.mutex("cache").acquire();

  const text = await runHere(["locks", "--server", server.url]);
  const json = await runHere(["locks", "--server", server.url, "--json"]);
  const dot = await runHere(["locks", "--server", server.url, "--dot"]);
  const mermaid = await runHere(["locks", "--server", server.url, "--mermaid"]);

  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /Locks of served, pid \d+, .*: 1 hold, 0 waiters, 0 findings\n\nHELD\n {2}cache\n/);
  const document = JSON.parse(json.out) as { schema: string; domains: { domain: string }[] };
  assert.equal(document.schema, "poundlock.locks/1");
  assert.ok(document.domains.some(({ domain: name }) => name === "served"));
  assert.match(dot.out, /^digraph "locks of /m);
  assert.match(mermaid.out, /^flowchart LR/m);
});

test("poundlock locks without a server says what to do", async (t) => {
  const folder = await folderWith(t, {});

  const { code, err } = await runHere(["locks"], { folder });

  assert.equal(code, 4);
  assert.match(err, /no server runs in .*\n {2}fix .*--pid N/);
});

test("poundlock locks --pid asks a process, and exits with 1 when its tasks are stuck", async (t) => {
  const folder = await folderWith(t, {});
  const child = await reporting(t, `${folder}/.poundlock`, deadlock);

  const { code, out, err } = await runHere(["locks", "--pid", String(child.pid)], { folder });

  assert.equal(err, "");
  assert.match(out, /Locks of shop, pid \d+/);
  assert.match(out, /STUCK: 2 tasks wait for each other, until the first gives up in [\d.]+ s\n/);
  assert.match(out, / waits for b, since .*, gives up after 60.0 s\n/);
  assert.equal(code, 1);
});

test("poundlock locks --pid never signals a process that would die of it", async (t) => {
  const folder = await folderWith(t, {});
  const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");

  const without = await runHere(["locks", "--pid", String(child.pid), "--folder", folder]);
  writeFileSync(signalReportPath(folder, child.pid!), "{}");
  const leftOver = await runHere(["locks", "--pid", String(child.pid), "--folder", folder]);

  assert.equal(without.code, 4);
  assert.match(without.err, /it does not report its locks/);
  if (process.platform === "linux") {
    assert.equal(leftOver.code, 4);
    assert.match(leftOver.err, /would die of it/);
    assert.equal(child.signalCode, null);
  }
});

test("poundlock locks --pid says that a process is gone", async (t) => {
  const folder = await folderWith(t, {});
  const child = await reporting(t, folder, "");
  child.kill("SIGKILL");
  await once(child, "exit");

  const { code, err } = await runHere(["locks", "--pid", String(child.pid), "--folder", folder]);

  assert.equal(code, 4);
  assert.match(err, /there is no such process/);
});

test("poundlock locks merge finds the cycle that no process saw alone", async (t) => {
  const folder = await folderWith(t, {});
  for (const [name, first, second] of [
    ["shop", "a", "b"],
    ["stock", "b", "a"],
  ] as const) {
    const domain = new LockDomain({ name });
    await domain.mutex(first).run(() => domain.mutex(second).run(() => {}));
    writeFileSync(`${folder}/${name}.json`, JSON.stringify(locksDocument([domain.report()])));
  }

  const alone = await runHere(["locks", "merge", "shop.json"], { folder });
  const text = await runHere(["locks", "merge", "shop.json", "stock.json"], { folder });
  const json = await runHere(["locks", "merge", "shop.json", "stock.json", "--json"], { folder });

  assert.deepEqual(alone, { code: 0, out: "no cycle beyond what the one order shows\n", err: "" });
  assert.equal(text.code, 1);
  assert.match(text.out, /opposite orders, which can deadlock: [ab] → [ab] → [ab]\n/);
  assert.match(text.out, /\n1 cycle beyond what each of 2 orders shows\n$/);
  const merged = JSON.parse(json.out) as {
    schema: string;
    findings: { severity: string; message: string }[];
  };
  assert.equal(merged.schema, "poundlock.locks.merge/1");
  assert.deepEqual(
    merged.findings.map(({ severity }) => severity),
    ["feasible"],
  );
});

test("poundlock locks merge names the file that it can't use", async (t) => {
  const folder = await folderWith(t, { "notes.txt": "no JSON" });

  const missing = await runHere(["locks", "merge", "gone.json"], { folder });
  const wrong = await runHere(["locks", "merge", "notes.txt"], { folder });

  assert.equal(missing.code, 4);
  assert.match(missing.err, /Cannot read .*gone\.json: /);
  assert.equal(wrong.code, 4);
  assert.match(wrong.err, /neither a report of locks nor an order/);
});

test("poundlock locks takes one form of output", async () => {
  const { code } = await runHere(["locks", "--dot", "--json"]);

  assert.equal(code, 2);
});
