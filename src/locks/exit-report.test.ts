import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const locksUrl = new URL("./index.js", import.meta.url).href;

/** Two tasks that lock a and b in opposite orders; with detection it would be refused. */
const deadlock = `
  const domain = new LockDomain({ name: "shop", detection: "off", waitMs: Number.POSITIVE_INFINITY });
  const a = domain.mutex("a");
  const b = domain.mutex("b");
  const both = (first, second) => first.run(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    await second.run(() => {});
  });
  const done = Promise.all([both(a, b), both(b, a)]);
`;

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

/** A script without and one with top-level await, as somebody would write them. */
function endOf(kind: "commonjs" | "module", body: string): Ended {
  const source =
    kind === "commonjs"
      ? `import(${JSON.stringify(locksUrl)}).then(({ LockDomain }) => { ${body} });`
      : `import { LockDomain } from ${JSON.stringify(locksUrl)}; ${body}`;
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", `--input-type=${kind}`, "--eval", source],
    {
      encoding: "utf8",
      env,
      timeout: 20_000,
    },
  );
  return { code: status, err: stderr };
}

test("a script that ends in a deadlock says so and exits with 1 instead of 0", () => {
  const { code, err } = endOf("commonjs", deadlock);

  assert.equal(code, 1, err);
  assert.match(err, /^poundlock: the process ends, and locks that nobody will release/);
  assert.match(err, /Locks of shop, pid \d+, .*: 2 holds, 2 waiters/);
});

test("an unsettled top-level await stays 13, with the report", () => {
  const { code, err } = endOf("module", `${deadlock} await done;`);

  assert.equal(code, 13, err);
  assert.match(err, /2 holds, 2 waiters/);
});

test("a lock that is held by what never goes on is reported, although nobody waits for it", () => {
  const { code, err } = endOf(
    "commonjs",
    `const domain = globalThis.domain = new LockDomain({ name: "shop" });
     domain.mutex("a").run(() => new Promise(() => {}));`,
  );

  assert.equal(code, 1, err);
  assert.match(err, /HELD\n {2}a\n/);
});

test("a waiter is reported although nothing but the wait keeps its domain", () => {
  const { code, err } = endOf(
    "commonjs",
    `(() => { ${deadlock} })();
     setImmediate(() => setImmediate(gc));`,
  );

  assert.equal(code, 1, err);
  assert.match(err, /2 holds, 2 waiters/);
});

test("an exit code of the program's own stays", () => {
  assert.equal(endOf("commonjs", `${deadlock} process.exitCode = 7;`).code, 7);
});

test("process.exit() is a decision and not reported", () => {
  const { code, err } = endOf("module", `${deadlock} setImmediate(() => process.exit(0)); await done;`);

  assert.deepEqual([code, err], [0, ""]);
});

test("a domain that was told not to report is silent", () => {
  const { code, err } = endOf("commonjs", deadlock.replace("{ name", "{ reportAtExit: false, name"));

  assert.deepEqual([code, err], [0, ""]);
});

test("a program whose locks are all released ends silently with 0", () => {
  const { code, err } = endOf(
    "module",
    `const domain = new LockDomain(); const a = domain.mutex("a");
     await Promise.all([a.run(() => {}), a.run(() => {}), a.run(() => {})]);`,
  );

  assert.deepEqual([code, err], [0, ""]);
});

test("more work found at the end takes the end back", () => {
  const { code, err } = endOf(
    "commonjs",
    `const domain = globalThis.domain = new LockDomain(); const a = domain.mutex("a");
     let release; a.run(() => new Promise((resolve) => { release = resolve; }));
     process.once("beforeExit", () => setImmediate(() => { release(); }));`,
  );

  assert.deepEqual([code, err], [0, ""]);
});
