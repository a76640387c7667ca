import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLmdbStore } from "../../src/store/lmdb/index.js";
import { shipSeed, shipWhileFailing } from "../kit/shipped.js";

test(`shipMetrics() makes the embedded store equal to what was recorded, while it fails before and after it has settled (POUNDLOCK_SEED=${shipSeed})`, async () => {
  const path = mkdtempSync(join(tmpdir(), "poundlock-ship-"));

  await shipWhileFailing((clock) => openLmdbStore({ clock, path }));

  rmSync(path, { recursive: true });
});
