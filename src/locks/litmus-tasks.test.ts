import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { type DomainOptions, LockDomain } from "./index.js";
import { turn } from "./turn.testkit.js";

/*
 * The rows of the litmus catalogue that a straight line of acquisitions can't say. The last ones are elsewhere: 65, a thread that dies, with the
 * shared mutex; 66, a lease that ends, with claims; 67, the end of the process, with the exit report.
 */

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: { readonly code?: string }) => error.code ?? String(error),
  );

const nothing = (): void => {};

function domainOf(options: DomainOptions = {}): { domain: LockDomain; clock: ManualClock } {
  const clock = new ManualClock(0);
  return {
    clock,
    domain: new LockDomain({ clock, waitMs: Number.POSITIVE_INFINITY, reportAtExit: false, ...options }),
  };
}

test("litmus 14: a second release is no permit more, and frees nobody else", async () => {
  const { domain } = domainOf();
  const semaphore = domain.semaphore("s", 2);
  const [first, second] = [await semaphore.acquire(), await semaphore.acquire()];
  first.release();
  first.release();

  const third = await semaphore.acquire();

  assert.equal(semaphore.tryAcquire(), undefined);
  assert.equal(second.isReleased || third.isReleased, false);
});

test("litmus 15: a name can't be given to another kind of lock, and a key that is held is not made again", async () => {
  const { domain } = domainOf();
  const keyed = domain.keyed<string>("k");
  const held = await keyed.acquire("a");

  assert.throws(() => domain.semaphore("k", 2), /another kind of that name/);
  assert.equal(keyed.tryAcquire("a"), undefined);
  assert.equal(keyed.size, 1);
  held.release();
  assert.equal(keyed.size, 0);
});

test("litmus 33: what relies on an outer lock says so when that is not held", async () => {
  const { domain } = domainOf();
  const [outer, inner] = [domain.mutex("outer"), domain.mutex("inner")];
  const nested = (): Promise<void> => {
    domain.assertHeld(outer);
    return inner.run(nothing);
  };

  await outer.run(nested);
  assert.throws(nested, { code: "LOCK_HOLD" });
  await outer.run(() => domain.detached(() => assert.throws(nested, { code: "LOCK_HOLD" })));
});

test("litmus 38: a function that is called while its caller holds the lock names both places", async () => {
  const { domain } = domainOf();
  const a = domain.mutex("a");
  const inner = async (): Promise<void> => {
    await turn();
    await a.run(nothing);
  };

  const error = await a.run(inner).catch((thrown: Error) => thrown);

  assert.match(String(error), /SelfDeadlockError/);
  assert.match(String(error), /held .*litmus-tasks[\s\S]*wanted .*inner.*litmus-tasks/);
});

test("litmus 39: two orders that functions hide are found, although nothing hung", async () => {
  const { domain } = domainOf();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const takesB = async (): Promise<void> => {
    await turn();
    await b.run(nothing);
  };
  const takesA = async (): Promise<void> => {
    await turn();
    await a.run(nothing);
  };

  await a.run(takesB);

  assert.equal(await codeOf(b.run(takesA)), "LOCK_ORDER");
});

test("litmus 40: children hold what their parent holds, and not what their siblings do", async () => {
  const { domain } = domainOf();
  const [a, b, c] = [domain.mutex("a"), domain.mutex("b"), domain.mutex("c")];
  await a.run(() => Promise.all([b.run(() => turn()), c.run(() => turn())]));

  await b.run(() => c.run(nothing));
  await b.run(() => c.run(nothing));
  assert.equal(await codeOf(b.run(() => a.run(nothing))), "LOCK_ORDER");
  assert.equal(await codeOf(c.run(() => a.run(nothing))), "LOCK_ORDER");
});

test("litmus 41: siblings have no order, whichever comes first", async () => {
  const { domain } = domainOf();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];

  await Promise.all([a.run(() => turn()), b.run(() => turn())]);
  await Promise.all([b.run(() => turn()), a.run(() => turn())]);
  await a.run(() => b.run(nothing));

  assert.deepEqual(domain.findings, []);
});

test("litmus 42: what is begun and not awaited inherits what is held, unless it is detached", async () => {
  for (const isDetached of [false, true]) {
    const { domain } = domainOf();
    const [a, b] = [domain.mutex("a"), domain.mutex("b")];
    let begun: Promise<void> | undefined;
    await a.run(() => {
      begun = isDetached ? domain.detached(() => b.run(nothing)) : b.run(nothing);
    });
    await begun;

    assert.equal(await codeOf(b.run(() => a.run(nothing))), isDetached ? "done" : "LOCK_ORDER");
  }
});

test("litmus 50: one who wants many permits is not starved by those who want one", async () => {
  for (const overtakingMax of [0, 3]) {
    const { domain } = domainOf();
    const semaphore = domain.semaphore("s", 2, { overtakingMax });
    const order: string[] = [];
    const small = await semaphore.acquire();
    const big = semaphore.acquire({ weight: 2 }).then((hold) => {
      order.push("big");
      hold.release();
    });
    const smalls = Array.from({ length: 10 }, async () => {
      const hold = await semaphore.acquire();
      order.push("small");
      await turn();
      hold.release();
    });
    await turn();
    small.release();
    await Promise.all([big, ...smalls]);

    assert.equal(order.indexOf("big"), overtakingMax);
  }
});

test("litmus 51, 52: several keys are taken in one order, each once", async () => {
  const { domain } = domainOf();
  const keyed = domain.keyed<string>("k");
  const ran: string[] = [];
  const both = (keys: readonly string[]): Promise<unknown> =>
    keyed.runAll(keys, async () => {
      await turn();
      ran.push(keys.join());
    });

  await Promise.all([both(["a", "b"]), both(["b", "a"]), both(["b", "b"])]);

  assert.deepEqual(ran.sort(), ["a,b", "b,a", "b,b"]);
  assert.deepEqual(domain.findings, []);
  assert.equal(keyed.size, 0);
});

test("litmus 54: waiting for a condition while another lock is held is an acquisition in that order", async () => {
  for (const onFinding of ["throw", "collect"] as const) {
    const { domain } = domainOf({ onFinding });
    const [a, b] = [domain.mutex("a"), domain.mutex("b")];
    const condition = domain.condition(a);
    let wasHeld: boolean | undefined;
    const waiting = codeOf(
      a.run((hold) =>
        b.run(async () => {
          try {
            await condition.wait(hold);
          } finally {
            wasHeld = !hold.isReleased && a.isLocked;
          }
        }),
      ),
    );
    await turn();
    condition.notify();

    assert.equal(await waiting, onFinding === "throw" ? "LOCK_ORDER" : "done");
    assert.equal(wasHeld, true, "the wait ended without the lock");
    assert.deepEqual(
      domain.findings.map(({ kind }) => kind),
      ["order"],
    );
  }
});

test("litmus 54: a condition's lock that never comes back is a deadlock", async () => {
  const { domain } = domainOf({ onFinding: "collect" });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const condition = domain.condition(a);
  const waiting = codeOf(a.run((hold) => b.run(() => condition.wait(hold))));
  await turn();
  const notifying = codeOf(
    a.run(async () => {
      condition.notify();
      await turn();
      await b.run(nothing);
    }),
  );

  assert.deepEqual((await Promise.all([waiting, notifying])).sort(), ["LOCK_DEADLOCK", "done"]);
  assert.deepEqual(domain.report().locks, []);
});

test("litmus 55: of a release and an abort in one tick the first one wins, and the lock is not lost", async () => {
  for (const isAbortFirst of [false, true]) {
    const { domain } = domainOf();
    const a = domain.mutex("a");
    const held = await a.acquire();
    const abort = new AbortController();
    const waiting = a.acquire({ signal: abort.signal });
    const steps = [() => held.release(), () => abort.abort(new Error("enough"))];
    for (const step of isAbortFirst ? steps.reverse() : steps) step();

    if (isAbortFirst) await assert.rejects(waiting, /enough/);
    else (await waiting).release();
    assert.equal(a.isLocked, false);
    (await a.acquire()).release();
  }
});

test("litmus 56: a new arrival is served after the head gave up and the holder released in one tick", async () => {
  const { domain } = domainOf();
  const a = domain.mutex("a");
  const held = await a.acquire();
  const abort = new AbortController();
  const head = codeOf(a.acquire({ signal: abort.signal }));
  abort.abort(Object.assign(new Error(), { code: "gave up" }));
  held.release();
  const arrival = a.acquire();

  assert.equal(await head, "gave up");
  assert.equal((await arrival).isReleased, false);
});

test("litmus 57: who waits behind a heavy one is served when that one's time is over", async () => {
  const { domain, clock } = domainOf();
  const semaphore = domain.semaphore("s", 2);
  await semaphore.acquire();
  const heavy = codeOf(semaphore.acquire({ weight: 2, waitMs: 50 }));
  const light = semaphore.acquire();
  assert.equal(semaphore.waiting, 2);

  clock.advance(50);

  assert.equal(await heavy, "LOCK_TIMEOUT");
  assert.equal((await light).isReleased, false);
  assert.equal(semaphore.waiting, 0);
});

test("litmus 58: a body that takes too long is told so, and nobody comes in before it ends", async () => {
  const { domain, clock } = domainOf({ holdWarnMs: 100 });
  const a = domain.mutex("a");
  const order: string[] = [];
  let end: () => void = nothing;
  const long = a.run(async (hold) => {
    hold.signal.addEventListener("abort", () => order.push("told"));
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    order.push("ended");
  });
  const next = a.run(() => order.push("next"));

  for (let ms = 0; ms < 300; ms += 25) clock.advance(25);
  await turn();
  assert.deepEqual(order, ["told"]);
  end();
  await Promise.all([long, next]);

  assert.deepEqual(order, ["told", "ended", "next"]);
});

test("litmus 59: of several readers the one that stays is still known when the others have gone", async () => {
  const { domain } = domainOf({ onFinding: "collect" });
  const lock = domain.readWriteLock("rw");
  const b = domain.mutex("b");
  const stays = await lock.read.acquire();
  (await lock.read.acquire()).release();
  const writer = b.run(() => codeOf(lock.write.run(nothing)));
  await turn();
  const behind = lock.read.run(nothing);
  await turn();

  const [report] = domain.report().locks.filter(({ name }) => name === "rw");
  assert.deepEqual([report?.holders.length, report?.waiters.length], [1, 2]);
  // The reader that stays now waits for what the writer holds.
  assert.equal(await codeOf(b.acquire({ holding: stays })), "LOCK_DEADLOCK");
  stays.release();
  assert.equal(await writer, "done");
  await behind;
});

test("litmus 60: a holder that ended just before is nobody to wait for", async () => {
  const { domain } = domainOf({ onFinding: "collect" });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const heldA = await a.acquire();
  const heldB = await b.acquire();
  const one = a.acquire({ holding: heldB });
  heldA.release();

  const other = b.acquire();
  assert.equal((await one).isReleased, false);
  heldB.release();
  assert.equal((await other).isReleased, false);
});

test("litmus 62: two children of a re-entrant hold take turns", async () => {
  const { domain } = domainOf();
  const a = domain.mutex("a", { reentrant: true });
  const order: string[] = [];
  const child = (name: string): Promise<void> =>
    a.run(async () => {
      order.push(`${name} begins`);
      await turn();
      order.push(`${name} ends`);
    });

  await a.run(() => Promise.all([child("one"), child("two")]));

  assert.deepEqual(order, ["one begins", "one ends", "two begins", "two ends"]);
});

test("litmus 63: an older transaction sends the younger one back, and both finish", async () => {
  const { domain } = domainOf();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const starts: string[] = [];
  const transaction = (name: string, first: typeof a, second: typeof a): Promise<void> =>
    domain.transaction(() => {
      starts.push(name);
      return first.run(async () => {
        await turn();
        await second.run(nothing);
      });
    });

  await Promise.all([transaction("older", a, b), transaction("younger", b, a)]);

  assert.deepEqual(starts, ["older", "younger", "younger"]);
  assert.deepEqual(domain.findings, []);
});

test("litmus 64: a transaction that was sent back and goes on is an error, as is one that keeps a lock", async () => {
  const { domain } = domainOf();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const older = domain.transaction(() =>
    a.run(async () => {
      await turn();
      await b.run(nothing);
    }),
  );
  const goesOn = codeOf(
    domain.transaction(() =>
      b.run(async () => {
        await turn();
        await a.run(nothing).catch(nothing);
      }),
    ),
  );
  await older;
  assert.equal(await goesOn, "LOCK_HOLD");

  const holder = domain.transaction(() =>
    a.run(async () => {
      await turn();
      await b.run(nothing);
    }),
  );
  let kept: { release(): void } | undefined;
  const keeps = codeOf(
    domain.transaction(async () => {
      kept = await b.acquire();
      await turn();
      await a.run(nothing);
    }),
  );
  assert.equal(await keeps, "LOCK_HOLD");
  kept?.release();
  await holder;
});

test("what acquire() took within a frame is guessed to be held: told once, and nobody is stopped", async () => {
  const warned: string[] = [];
  const { domain } = domainOf({ logger: { warn: (line) => warned.push(line) } });
  const [outer, low, high] = [
    domain.mutex("outer"),
    domain.mutex("low", { level: 1 }),
    domain.mutex("high", { level: 2 }),
  ];
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  await b.run(() => a.run(nothing));
  const nested = (): Promise<void> =>
    outer.run(async () => {
      using _high = await high.acquire();
      await low.run(nothing);
      using _a = await a.acquire();
      await b.run(nothing);
    });

  await nested();
  await nested();

  const notes = domain.findings.map(({ kind, message }) => `${kind} ${message.split("\n")[0]}`);
  assert.deepEqual(
    domain.findings.filter(({ kind }) => kind !== "note"),
    [],
  );
  assert.match(notes[0] ?? "", /as far as can be guessed: may take low \(level 1\) while it holds high/);
  assert.match(notes[1] ?? "", /as far as can be guessed: Locks are taken in opposite orders.*(a → b|b → a)/);
  assert.equal(notes.length, 2);
  assert.equal(warned.filter((line) => line.includes("guessed")).length, 2);
});

test("what acquire() took and then waits for is only a guess, since a sibling may have taken it", async () => {
  const { domain } = domainOf();
  const [outer, a] = [domain.mutex("outer"), domain.mutex("a")];

  await outer.run(() =>
    Promise.all([
      a.acquire().then(async (hold) => {
        await turn();
        hold.release();
      }),
      turn().then(() => a.run(nothing)),
    ]),
  );

  assert.deepEqual(
    domain.findings.map(({ kind }) => kind),
    ["note"],
  );
  assert.match(domain.findings[0]?.message ?? "", /may wait for itself: it may hold a already/);
});

test("an order that was only guessed stops nobody later", async () => {
  const { domain } = domainOf();
  const [outer, a, b] = [domain.mutex("outer"), domain.mutex("a"), domain.mutex("b")];
  await outer.run(async () => {
    using _a = await a.acquire();
    await b.run(nothing);
  });

  assert.equal(await codeOf(b.run(() => a.run(nothing))), "done");
  assert.equal(await codeOf(a.run(() => b.run(nothing))), "LOCK_ORDER");
});

test("a domain is not seen from another, and one in another loses nothing", async () => {
  const [one, other] = [domainOf().domain, domainOf().domain];
  const [a, x, y] = [one.mutex("a"), other.mutex("x"), other.mutex("y")];

  await a.run(() =>
    x.run(async () => {
      one.assertHeld(a);
      other.assertHeld(x);
      await other.detached(async () => {
        one.assertHeld(a);
        assert.throws(() => other.assertHeld(x), { code: "LOCK_HOLD" });
        await y.run(() => one.assertHeld(a));
      });
      assert.equal(await codeOf(a.run(nothing)), "LOCK_SELF_DEADLOCK");
    }),
  );

  assert.deepEqual([one.findings, other.findings], [[], []]);
});

test("readers that wait for each other only as long as a writer stands between them stall, and go on when it gives up", async () => {
  const { domain, clock } = domainOf({ onFinding: "collect" });
  const lock = domain.readWriteLock("a");
  const b = domain.mutex("b");
  const reader = await lock.read.acquire();
  const mutex = await b.acquire();
  const waiting = b.acquire({ holding: reader });
  const writer = codeOf(lock.write.acquire({ waitMs: 50 }));
  const behind = lock.read.acquire({ holding: mutex });

  assert.deepEqual(
    domain.findings.filter(({ kind }) => kind === "stall").map(({ lock: name }) => name),
    ["a"],
  );
  clock.advance(50);

  assert.equal(await writer, "LOCK_TIMEOUT");
  (await behind).release();
  mutex.release();
  (await waiting).release();
});
