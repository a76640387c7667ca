import { LockDomain } from "../../src/locks/index.js";
import { median } from "../kit/programs.js";

/** Nanoseconds for one acquire and release; a form that the contender lacks is absent. */
export interface LockTimes {
  /** The body is given: `lock.run(body)`. */
  readonly run?: number;
  /** Acquire and release by hand, in try and finally. */
  readonly hold?: number;
  /** As `hold`, with `using`. */
  readonly using?: number;
  /** Ten tasks want it all the time and take it by hand, so that each release hands over. */
  readonly contended?: number;
  /** Ten tasks want it all the time and give a body. */
  readonly contendedRun?: number;
}

type Loop = (operations: number) => Promise<unknown>;
type Loops = { readonly [Form in keyof LockTimes]: Loop };

/** Of Node.js 24; its types are those of 20 here. */
interface WebLocks {
  request(key: string, body: () => unknown): Promise<unknown>;
}

const contendingTasks = 10;
const batchesMeasured = 3;

/** Only the one that is measured is loaded. */
const contenders: Readonly<Record<string, () => Promise<Loops>>> = {
  full: async () => ours("full"),
  off: async () => ours("off"),
  "async-mutex": async () => {
    const { Mutex } = await import("async-mutex");
    const mutex = new Mutex();
    const hold: Loop = async (operations) => {
      for (let done = 0; done < operations; done += 1) {
        const release = await mutex.acquire();
        try {
          nothing();
        } finally {
          release();
        }
      }
    };
    return {
      run: async (operations) => {
        for (let done = 0; done < operations; done += 1) await mutex.runExclusive(nothing);
      },
      hold,
      contended: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) {
          const release = await mutex.acquire();
          await null;
          release();
        }
      }),
      contendedRun: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) await mutex.runExclusive(aMoment);
      }),
    };
  },
  "async-lock": async () => {
    const { default: AsyncLock } = await import("async-lock");
    const lock = new AsyncLock();
    return {
      run: async (operations) => {
        for (let done = 0; done < operations; done += 1) await lock.acquire("key", nothing);
      },
      contendedRun: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) await lock.acquire("key", aMoment);
      }),
    };
  },
  "async-sema": async () => {
    const { Sema } = await import("async-sema");
    const sema = new Sema(1);
    return {
      hold: async (operations) => {
        for (let done = 0; done < operations; done += 1) {
          await sema.acquire();
          try {
            nothing();
          } finally {
            sema.release();
          }
        }
      },
      contended: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) {
          await sema.acquire();
          await null;
          sema.release();
        }
      }),
    };
  },
  "p-limit": async () => {
    const { default: pLimit } = await import("p-limit");
    const limit = pLimit(1);
    return {
      run: async (operations) => {
        for (let done = 0; done < operations; done += 1) await limit(nothing);
      },
      contendedRun: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) await limit(aMoment);
      }),
    };
  },
  "web-locks": async () => {
    const { navigator } = globalThis as { navigator?: { locks?: WebLocks } };
    const locks = navigator?.locks;
    if (locks === undefined) return {};
    return {
      run: async (operations) => {
        for (let done = 0; done < operations; done += 1) await locks.request("key", nothing);
      },
      contendedRun: together(async (operations) => {
        for (let done = 0; done < operations; done += 1) await locks.request("key", aMoment);
      }),
    };
  },
};

function ours(detection: "full" | "off"): Loops {
  const mutex = new LockDomain({ detection }).mutex("key");
  return {
    run: async (operations) => {
      for (let done = 0; done < operations; done += 1) await mutex.run(nothing);
    },
    hold: async (operations) => {
      for (let done = 0; done < operations; done += 1) {
        const hold = await mutex.acquire();
        try {
          nothing();
        } finally {
          hold.release();
        }
      }
    },
    using: async (operations) => {
      for (let done = 0; done < operations; done += 1) {
        using _hold = await mutex.acquire();
        nothing();
      }
    },
    contended: together(async (operations) => {
      for (let done = 0; done < operations; done += 1) {
        const hold = await mutex.acquire();
        await null;
        hold.release();
      }
    }),
    contendedRun: together(async (operations) => {
      for (let done = 0; done < operations; done += 1) await mutex.run(aMoment);
    }),
  };
}

function nothing(): void {}

async function aMoment(): Promise<void> {
  await null;
}

function together(loop: Loop): Loop {
  return (operations) =>
    Promise.all(Array.from({ length: contendingTasks }, () => loop(Math.ceil(operations / contendingTasks))));
}

const [name = "", form = "", count = "1000"] = process.argv.slice(2);
const operations = Number(count);
const loop = (await contenders[name]?.())?.[form as keyof LockTimes];
if (loop !== undefined) {
  const batches: number[] = [];
  for (let batch = 0; batch <= batchesMeasured; batch += 1) {
    const startedMs = performance.now();
    await loop(operations);
    batches.push(((performance.now() - startedMs) / operations) * 1e6);
  }
  // The first is to warm up.
  process.stdout.write(String(median(batches.slice(1))));
}
