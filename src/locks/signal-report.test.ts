import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { until } from "../../test/kit/until.js";
import {
  isLocksDocument,
  isOrderExport,
  LockDomain,
  type LocksDocument,
  reportOnSignal,
  signalReportPath,
} from "./index.js";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "poundlock-locks-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function read(path: string): LocksDocument | undefined {
  const value: unknown = JSON.parse(readFileSync(path, "utf8"));
  return isLocksDocument(value) ? value : undefined;
}

test("reportOnSignal() writes who holds what when the signal comes", async (t) => {
  const folder = join(folderFor(t), "made", "here");
  const path = signalReportPath(folder, process.pid);
  // Node 24's test runner has SIGUSR2 for a report of its own.
  const stop = reportOnSignal({ folder, signal: "SIGHUP" });
  t.after(stop);
  const domain = new LockDomain({ name: "signalled" });
  using _hold = await domain.mutex("cache").acquire();

  const locksOf = (): readonly string[] =>
    read(path)
      ?.domains.filter(({ domain: name }) => name === "signalled")
      .flatMap(({ locks }) => locks.map(({ name }) => name)) ?? [];
  assert.deepEqual(locksOf(), []);
  process.kill(process.pid, "SIGHUP");

  await until("the report is there", () => locksOf().length > 0);
  assert.deepEqual(locksOf(), ["cache"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("reportOnSignal() removes its file and its listener when it is stopped", (t) => {
  const folder = folderFor(t);
  const listeners = process.listenerCount("SIGUSR2");
  const stop = reportOnSignal({ folder });

  stop();
  stop();

  assert.equal(process.listenerCount("SIGUSR2"), listeners);
  assert.throws(() => statSync(signalReportPath(folder, process.pid)), { code: "ENOENT" });
});

test("POUNDLOCK_LOCKS_FOLDER has a process keep its report at exit", (t) => {
  const folder = folderFor(t);
  const source = `import { LockDomain } from ${JSON.stringify(new URL("./index.js", import.meta.url).href)};
    const domain = globalThis.domain = new LockDomain({ name: "kept" });
    await domain.mutex("a").run(() => domain.mutex("b").run(() => {}));`;
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;

  const { status, stderr, pid } = spawnSync(process.execPath, ["--input-type=module", "--eval", source], {
    encoding: "utf8",
    env: { ...env, POUNDLOCK_LOCKS_FOLDER: folder },
  });

  assert.deepEqual([status, stderr], [0, ""]);
  const [kept] = read(signalReportPath(folder, pid))?.domains ?? [];
  assert.equal(kept?.domain, "kept");
  assert.ok(isOrderExport(kept.order));
  assert.deepEqual(
    kept.order.edges.map(({ from, to }) => [from, to]),
    [["a", "b"]],
  );
});

test("reportOnSignal() refuses a folder that can't be one", (t) => {
  const file = join(folderFor(t), "file");
  writeFileSync(file, "");

  assert.throws(() => reportOnSignal({ folder: file }), { code: "LOCK_REPORT" });
});
