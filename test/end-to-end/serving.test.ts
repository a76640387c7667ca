import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { PoundlockProcess } from "../kit/poundlock-process.js";
import { until } from "../kit/until.js";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-serving-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const line = (i: number): string =>
  `${JSON.stringify({ ts: new Date(1_753_000_000_000 + i * 1_000).toISOString(), status: ["open", "filled"][i % 2], duration_ms: i })}\n`;
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => line(from + i)).join("");

/** What a command prints, in the folder of a server. */
async function ask(
  cwd: string,
  ...args: string[]
): Promise<{ code: number | string; out: string; err: string }> {
  await using asked = new PoundlockProcess(args, { cwd });
  const code = await asked.ended();
  return { code, out: asked.out, err: asked.err };
}

async function ledgerAt(
  url: string,
): Promise<{ accepted: number; settled: number; dead: number; unaccounted: number }> {
  const response = await fetch(`${url}api/v1/ledger`);
  const { sources } = (await response.json()) as {
    sources: { accepted: number; settled: number; dead: number; unaccounted: number }[];
  };
  return sources[0] ?? { accepted: 0, settled: 0, dead: 0, unaccounted: 0 };
}

test("watching a file: live numbers, other commands find the server, a signal ends it with a receipt", async (t) => {
  const cwd = await folderFor(t);
  const file = join(cwd, "app.jsonl");
  await writeFile(file, lines(0, 100));
  await using server = new PoundlockProcess(["app.jsonl", "--port", "0", "--json"], { cwd });
  const { url } = await server.started();

  await until("the file is read", async () => (await ledgerAt(url)).accepted === 100);
  await appendFile(file, `${lines(100, 20)}broken\n`);
  await until("what was appended is read", async () => (await ledgerAt(url)).accepted === 121);
  const query = await ask(cwd, "query", "events", "--json");
  const text = await ask(cwd, "query", "duration_ms");
  const dead = await ask(cwd, "dlq", "list");
  const shown = await ask(cwd, "dlq", "show", "1", "--raw");
  const none = await ask(cwd, "dlq", "show", "99");
  const unknown = await ask(cwd, "query", "evnts");
  const runFile = await stat(join(cwd, ".poundlock/run.json"));
  const code = await server.stop("SIGINT");

  assert.match(server.err, /understood {2}JSON · time = ts \(ISO 8601.*\n.*duration = duration_ms \(ms\)/);
  const { groups } = JSON.parse(query.out) as { groups: { by: object; value: number }[] };
  assert.deepEqual(groups.map(({ by, value }) => [by, value]).sort(), [
    [{ status: "filled" }, 60],
    [{ status: "open" }, 60],
  ]);
  assert.match(text.out, /duration_ms {2}in ms/);
  assert.match(dead.out, /parse +app +1/);
  assert.equal(shown.out, "broken\n");
  assert.equal(none.code, 1);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /evnts/);
  assert.equal(runFile.mode & 0o777, 0o600);
  assert.equal(code, 0, server.err);
  assert.match(server.err, /stopped cleanly\. 121 in = 120 done \+ 1 dead\n/);
  assert.match(server.out, /"schema":"poundlock\.stopped\/1"/);
  assert.equal(existsSync(join(cwd, ".poundlock/run.json")), false);
});

const config = `version: 1
sources:
  app: { type: file, path: ./app.jsonl, time: ts }
metrics:
  orders: { kind: count, by: [status] }
  took: { kind: distribution, value: duration_ms, unit: ms }
server: { port: 0 }
`;

test("up goes on where it stopped, and without a server commands open the store", async (t) => {
  const cwd = await folderFor(t);
  const file = join(cwd, "app.jsonl");
  await writeFile(join(cwd, "poundlock.yaml"), config);
  await writeFile(file, lines(0, 50));
  await using first = new PoundlockProcess(["up", "--json"], { cwd });
  const started = await first.started();
  await until("the file is read", async () => (await ledgerAt(started.url)).accepted === 50);
  assert.equal(await first.stop("SIGTERM"), 0, first.err);

  const ledger = await ask(cwd, "ledger");
  const query = await ask(cwd, "query", "took", "--json");
  await appendFile(file, lines(50, 10));
  await using second = new PoundlockProcess(["up", "-c", "poundlock.yaml", "--json"], { cwd });
  const again = await second.started();
  await until("the rest is read", async () => (await ledgerAt(again.url)).accepted === 60);
  assert.equal(await second.stop("SIGINT"), 0, second.err);

  assert.equal(ledger.code, 0, ledger.err);
  assert.match(ledger.err, /no server is running: reading the store/);
  assert.match(ledger.out, /50 in = 50 done/);
  assert.deepEqual((JSON.parse(query.out) as { all: { n: number; max: number } }).all.n, 50);
  assert.match(second.err, /stopped cleanly\. 60 in = 60 done; goes on from here next time/);
});

test("a port that was asked for and is busy keeps it from starting, with exit code 3", async (t) => {
  const cwd = await folderFor(t);
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await until("the port is taken", () => other.listening);
  const { port } = other.address() as AddressInfo;
  await writeFile(join(cwd, "app.jsonl"), line(0));

  const { code, err } = await ask(cwd, "app.jsonl", "--port", String(port));

  assert.equal(code, 3, err);
  assert.match(err, new RegExp(`${port}`));
});

test("demo makes up orders, breaks some, and counts each", async (t) => {
  const cwd = await folderFor(t);
  await using server = new PoundlockProcess(["demo", "--port", "0", "--memory", "--rate", "2000", "--json"], {
    cwd,
  });
  const { url } = await server.started();

  const ledger = await until("some are dead", async () => {
    const now = await ledgerAt(url);
    return now.dead >= 5 && now;
  });
  const code = await server.stop("SIGINT");

  assert.equal(ledger.unaccounted, 0);
  assert.equal(code, 0, server.err);
  assert.match(server.err, /Feeding +made-up orders, 2000\/s, 1 in 200 broken on purpose/);
});

test("report reads standard input, and a reader that goes away is no error", async (t) => {
  const cwd = await folderFor(t);
  await using piped = new PoundlockProcess(["report", "-", "--by", "status", "--json"], {
    cwd,
    stdin: lines(0, 3),
  });
  assert.equal(await piped.ended(), 0, piped.err);

  await using headed = new PoundlockProcess(["report", "--help"], { cwd });
  headed.child.stdout?.destroy();

  assert.equal((JSON.parse(piped.out) as { ledger: { accepted: number } }).ledger.accepted, 3);
  assert.equal(await headed.ended(), 0, headed.err);
  assert.equal(headed.err, "");
});

test("the token in run.json lets a request in under any host name, also without a configured one", async (t) => {
  const cwd = await folderFor(t);
  await writeFile(join(cwd, "app.jsonl"), lines(0, 3));
  await using server = new PoundlockProcess(["app.jsonl", "--port", "0", "--json"], { cwd });
  const { port } = await server.started();
  const { token } = JSON.parse(await readFile(join(cwd, ".poundlock/run.json"), "utf8")) as { token: string };
  const statusWith = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const all = { host: "lock.example", ...headers };
      request({ port, host: "127.0.0.1", path: "/api/v1/ledger", headers: all }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });

  assert.equal(await statusWith({}), 403);
  assert.equal(await statusWith({ authorization: "Bearer 0123456789abcdef" }), 403);
  assert.equal(await statusWith({ authorization: `Bearer ${token}` }), 200);
});

test("a second server in a folder leaves the first one to be found, and says so", async (t) => {
  const cwd = await folderFor(t);
  await writeFile(join(cwd, "a.jsonl"), lines(0, 3));
  await writeFile(join(cwd, "b.jsonl"), lines(0, 5));
  await using first = new PoundlockProcess(["a.jsonl", "--port", "0", "--json"], { cwd });
  const { port } = await first.started();

  await using second = new PoundlockProcess(["b.jsonl", "--port", "0", "--json"], { cwd });
  await second.started();
  const whileBoth = await readFile(join(cwd, ".poundlock/run.json"), "utf8");
  await second.stop("SIGINT");

  assert.equal((JSON.parse(whileBoth) as { port: number }).port, port);
  assert.match(second.err, new RegExp(`warning {2}a server on port ${port} runs in this folder already`));
  assert.equal(await readFile(join(cwd, ".poundlock/run.json"), "utf8"), whileBoth);
});
