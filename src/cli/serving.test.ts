import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { Writable } from "node:stream";
import { test } from "node:test";
import { FakeSource } from "../../test/kit/fake-source.js";
import { ManualClock, systemClock } from "../base/index.js";
import { folderWith, runHere } from "./cli.testkit.js";
import { listen } from "./listen.js";
import { ProgressLine, progressText } from "./progress.js";
import { run } from "./run.js";
import { StopSignals } from "./stop-signals.js";
import { Terminal } from "./terminal.js";

function captured(isTTY = false): { terminal: Terminal; text: () => string } {
  let text = "";
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString("utf8");
      done();
    },
  });
  const err = Object.assign(sink, { isTTY, columns: 80 });
  return { terminal: new Terminal({ out: new Writable(), err, environment: {} }), text: () => text };
}

test("listen() gives way to a busy default port, and not when the port was asked for", async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const { terminal, text } = captured();
  const options = { source: new FakeSource(0) };

  const server = await listen({ host: "127.0.0.1", port, isPortExplicit: false }, options, terminal);
  t.after(() => server.close());

  assert.ok(server.port > port);
  assert.match(text(), new RegExp(`port ${port} is busy; using ${server.port}`));
  await assert.rejects(listen({ host: "127.0.0.1", port, isPortExplicit: true }, options, terminal), {
    code: "SERVER_LISTEN_FAILED",
  });
});

test("StopSignals resolves with the first signal and forces the end with the second", async () => {
  const { terminal } = captured();
  const exits: number[] = [];
  const clock = new ManualClock(0);
  using signals = new StopSignals({ terminal, clock, exitNow: (code) => exits.push(code) });

  process.emit("SIGINT", "SIGINT");
  assert.equal(await signals.first, "SIGINT");
  process.emit("SIGINT", "SIGINT");
  assert.deepEqual(exits, [], "the same press of a key, passed on once more");
  clock.advance(1_000);
  process.emit("SIGTERM", "SIGTERM");

  assert.deepEqual(exits, [143]);
});

test("what is none of our errors is a bug, with exit code 70 and its place", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": "{}\n" });
  const { terminal, text } = captured();
  const clock = { ...systemClock, monotonicMs: () => undefined as never };
  const broken = new Proxy(clock, {
    get: () => {
      throw new TypeError("a bug in a test");
    },
  });

  const code = await run(["report", `${folder}/a.jsonl`, "--where", "true"], {
    terminal,
    clock: broken,
    environment: {},
    folder: tmpdir(),
    startMs: 0,
    exitNow: () => {},
  });

  assert.equal(code, 70);
  assert.match(text(), /a bug in a test.*please report/s);
});

test("ProgressLine paints at most ten times a second on a terminal and wipes itself off", () => {
  const { terminal, text } = captured(true);
  const clock = new ManualClock(0);
  const progress = new ProgressLine(terminal, clock, "auto");
  const now = { foundBytes: 200, settledBytes: 100, lines: 10 };

  progress.show(now);
  assert.equal(text(), "");
  for (let i = 0; i < 100; i += 1) {
    clock.advance(10);
    progress.show(now);
  }
  progress.end();

  const paints = text().split("reading").length - 1;
  assert.ok(paints >= 4 && paints <= 6, String(paints));
  assert.ok(text().endsWith("\r\u001b[K"));
});

test("ProgressLine on a pipe is a line every ten seconds, without escape codes", () => {
  const { terminal, text } = captured();
  const clock = new ManualClock(0);
  const progress = new ProgressLine(terminal, clock, "auto");

  for (let i = 0; i < 300; i += 1) {
    clock.advance(100);
    progress.show({ foundBytes: 200, settledBytes: 100, lines: 10 });
  }
  progress.end();

  assert.equal(text().split("\n").length - 1, 3);
  assert.equal(text().includes("\u001b"), false);
});

test("progressText() says how much, how fast, how long", () => {
  const text = progressText({ foundBytes: 4_194_304, settledBytes: 1_048_576, lines: 50_000 }, 2_000);

  assert.equal(text, "reading  25 %  1.0 MiB of 4.0 MiB  25,000 lines/s  6.0 s left");
});

test("--progress none says nothing, whatever the length", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": "{}\n" });

  const { err } = await runHere(["report", `${folder}/a.jsonl`, "--where", "true", "--progress", "none"]);

  assert.equal(err, "");
});
