import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { inRoot } from "../../scripts/paths.mjs";
import { SuiteLocks } from "../../scripts/suite-locks.mjs";

function runWith(locks, script) {
  const lines = `const { LockDomain } = await import(${JSON.stringify(inRoot("dist/src/locks/index.js"))});
    const [a, b] = ["a", "b"].map((name) => LockDomain.shared.mutex(name, { onFinding: "collect" }));
    ${script}`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", lines], {
    env: { ...process.env, ...locks.environment },
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

test("SuiteLocks finds nothing where locks are taken as they should be", async () => {
  const locks = new SuiteLocks();
  runWith(locks, "await a.run(() => b.run(() => {}));");
  runWith(locks, "await a.run(() => b.run(() => {}));");

  assert.deepEqual(await locks.end(), { processes: 2, acquisitions: 4, problems: [] });
});

test("SuiteLocks finds what one process found, and what no process alone could see", async () => {
  const alone = new SuiteLocks();
  runWith(alone, "await a.run(() => b.run(() => {})); await b.run(() => a.run(() => {}));");
  const [inverted, ...more] = (await alone.end()).problems;
  assert.match(inverted, /opposite orders/);
  assert.deepEqual(more, []);

  const together = new SuiteLocks();
  runWith(together, "await a.run(() => b.run(() => {}));");
  runWith(together, "await b.run(() => a.run(() => {}));");
  const { problems } = await together.end();
  assert.equal(problems.length, 1);
  assert.match(problems[0], /opposite orders/);
});
