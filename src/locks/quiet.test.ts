import assert from "node:assert/strict";
import { test } from "node:test";
import { LockDomain, type LockUnquietError } from "./index.js";

const quiet = { onFinding: "collect", reportAtExit: false } as const;

function reportOf(domain: LockDomain): string {
  try {
    domain.assertQuiet();
  } catch (error) {
    const { code, report } = error as LockUnquietError;
    assert.equal(code, "LOCK_UNQUIET");
    return report.join("\n");
  }
  return "";
}

async function nest(domain: LockDomain, outer: string, inner: string): Promise<void> {
  await domain.mutex(outer).run(() => domain.mutex(inner).run(() => {}));
}

test("assertQuiet() lets a domain pass in which nothing was found and nothing is left", async () => {
  const domain = new LockDomain(quiet);
  domain.latch("never opened");
  await nest(domain, "a", "b");

  domain.assertQuiet();
});

test("assertQuiet() tells of orders that contradict each other", async () => {
  const domain = new LockDomain(quiet);
  await nest(domain, "a", "b");
  await nest(domain, "b", "a");

  assert.match(reportOf(domain), /opposite orders/);
});

test("assertQuiet() tells of what is held, and is quiet when it is released", async () => {
  const domain = new LockDomain(quiet);
  const hold = await domain.mutex("a").acquire();

  assert.match(reportOf(domain), /HELD.*\ba\b/s);

  hold.release();
  domain.assertQuiet();
});

test("assertQuiet() tells of a suppression that nothing needed", async () => {
  const allow = [{ cycle: ["a", "b"], reason: "b is only ever tried" }];
  const needed = new LockDomain({ ...quiet, allow });
  await nest(needed, "a", "b");
  await nest(needed, "b", "a");
  const idle = new LockDomain({ ...quiet, allow });
  await nest(idle, "a", "b");

  needed.assertQuiet();
  assert.match(reportOf(idle), /NOTHING NEEDED.*b is only ever tried/s);
});
