import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { changes } from "../../../test/kit/store-contract/changes.js";
import { claims } from "../../../test/kit/store-contract/claims.js";
import { type OpenStore, storeContract } from "../../../test/kit/store-contract/index.js";
import { openLocalStore } from "./local-store.js";
import { openLmdbStore } from "./open-store.js";

const root = mkdtempSync(join(tmpdir(), "poundlock-contract-"));
after(() => rmSync(root, { recursive: true, force: true }));
let stores = 0;

storeContract("lmdb", async ({ clock, onWrite, ...limits }) =>
  openLocalStore({
    directory: join(root, String((stores += 1))),
    durability: "interval",
    limits,
    owner: { pid: process.pid, command: "test" },
    ownerWaitMs: 0,
    ...(clock === undefined ? {} : { clock }),
    ...(onWrite === undefined ? {} : { onWrite }),
  }),
);

// What a port changes is tried whole with the memory store (remote-store.contract.test.ts), and what LMDB changes above;
// together in a real thread, the part that waits and is told of changes.
const inThread: OpenStore = ({ onWrite: _none, ...options }) =>
  openLmdbStore({ path: join(root, String((stores += 1))), ...options });
changes("lmdb in its thread", inThread);
claims("lmdb in its thread", inThread);
