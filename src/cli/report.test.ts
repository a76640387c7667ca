import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { folderWith, type Outcome, runHere } from "./cli.testkit.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));

interface Report {
  readonly schema: string;
  readonly ledger: Readonly<Record<string, number>>;
  readonly metrics: readonly {
    readonly name: string;
    readonly kind: string;
    readonly unit?: string;
    readonly groups: readonly Record<string, unknown>[];
  }[];
}

async function reportOf(args: readonly string[]): Promise<Report & { readonly outcome: Outcome }> {
  const outcome = await runHere(["report", ...args, "--json", "--progress", "none"]);
  assert.equal(outcome.code, 0, outcome.err);
  assert.equal(outcome.out.endsWith("\n"), true);
  return { ...(JSON.parse(outcome.out) as Report), outcome };
}

const emptyLedger = {
  accepted: 0,
  settled: 0,
  waiting: 0,
  leased: 0,
  retrying: 0,
  dead: 0,
  dropped: 0,
  duplicate: 0,
  lost: 0,
  unaccounted: 0,
};

const orders = `${[
  { status: "open", order: { coin: "BTC" }, duration_ms: 12 },
  { status: "open", order: { coin: "ETH" }, duration_ms: 20.5 },
  { status: "filled", order: { coin: "BTC" }, duration_ms: 7 },
  { status: "filled", order: {} },
]
  .map((event) => JSON.stringify(event))
  .join("\n")}\n`;

test("report --json is one document of exactly the stated shape", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": orders });

  const { schema, ledger, metrics } = await reportOf([
    join(folder, "a.jsonl"),
    "--by",
    "status",
    "--value",
    "duration_ms=ms",
  ]);

  assert.equal(schema, "poundlock.report/1");
  assert.deepEqual(ledger, { ...emptyLedger, accepted: 4, settled: 4 });
  assert.deepEqual(metrics[0], {
    name: "events",
    kind: "count",
    groups: [
      { by: { status: "filled" }, value: 2 },
      { by: { status: "open" }, value: 2 },
    ],
  });
  assert.deepEqual(
    {
      ...metrics[1],
      groups: metrics[1]?.groups.map(({ by, n, min, max, mean }) => ({ by, n, min, max, mean })),
    },
    {
      name: "duration_ms",
      kind: "distribution",
      unit: "ms",
      groups: [
        { by: { status: "filled" }, n: 1, min: 7, max: 7, mean: 7 },
        { by: { status: "open" }, n: 2, min: 12, max: 20.5, mean: 16.25 },
      ],
    },
  );
  assert.deepEqual(Object.keys(metrics[1]?.groups[0] ?? {}), [
    "by",
    "n",
    "min",
    "max",
    "mean",
    "p50",
    "p90",
    "p95",
    "p99",
  ]);
});

test("report groups by several fields, absent ones as null, in order of their bytes", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": orders });

  const { metrics } = await reportOf([join(folder, "a.jsonl"), "--by", "status", "--by", "order.coin"]);

  assert.deepEqual(metrics[0]?.groups, [
    { by: { status: "filled", "order.coin": null }, value: 1 },
    { by: { status: "filled", "order.coin": "BTC" }, value: 1 },
    { by: { status: "open", "order.coin": "BTC" }, value: 1 },
    { by: { status: "open", "order.coin": "ETH" }, value: 1 },
  ]);
});

test("report counts CRLF, a BOM, blank lines and an unterminated last line as a person would", async (t) => {
  const text = '\uFEFF{"a":"x"}\r\n\r\n  \n{"a":"x"}\r\n{"a":"ü"}';
  const folder = await folderWith(t, { "a.jsonl": text });

  const { ledger, metrics } = await reportOf([join(folder, "a.jsonl"), "--by", "a"]);

  assert.deepEqual(ledger, { ...emptyLedger, accepted: 3, settled: 3 });
  assert.deepEqual(metrics[0]?.groups, [
    { by: { a: "x" }, value: 2 },
    { by: { a: "ü" }, value: 1 },
  ]);
});

test("report --where drops, and dead lines stay apart with their bytes on stderr", async (t) => {
  const lines = `${orders}{"status":"open"\nnot json\n`;
  const folder = await folderWith(t, { "a.jsonl": lines });

  const { ledger, metrics, outcome } = await reportOf([
    join(folder, "a.jsonl"),
    "--where",
    'order.coin == "BTC"',
  ]);

  assert.deepEqual(ledger, { ...emptyLedger, accepted: 6, settled: 2, dropped: 2, dead: 2 });
  assert.deepEqual(metrics[0]?.groups, [{ by: {}, value: 2 }]);
  assert.match(outcome.err, /2 lines could not be used/);
  assert.match(outcome.err, /not json/);
});

test("report --where whose answer is no yes or no makes a dead line, not a dropped one", async (t) => {
  const folder = await folderWith(t, {
    "a.jsonl": '{"ok":true}\n{"ok":false}\n{"ok":"yes"}\n{"ok":null}\n{}\n',
  });

  const { ledger, outcome } = await reportOf([join(folder, "a.jsonl"), "--where", "ok"]);

  assert.deepEqual(ledger, { ...emptyLedger, accepted: 5, settled: 1, dropped: 3, dead: 1 });
  assert.match(outcome.err, /a condition is true or false, and this is a string/);
});

test("report adds up several files, and reads patterns of text lines", async (t) => {
  const folder = await folderWith(t, { "a.log": "INFO one\nERROR two\n", "b.log": "INFO three\n" });

  const { metrics } = await reportOf([
    join(folder, "a.log"),
    join(folder, "b.log"),
    "--format",
    String.raw`^(?<level>\w+) (?<rest>.*)$`,
    "--by",
    "level",
  ]);

  assert.deepEqual(metrics[0]?.groups, [
    { by: { level: "ERROR" }, value: 1 },
    { by: { level: "INFO" }, value: 2 },
  ]);
});

test("report of nothing is zero, not nothing", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": "\n" });

  const { ledger, metrics } = await reportOf([join(folder, "a.jsonl"), "--where", "true"]);

  assert.deepEqual(ledger, emptyLedger);
  assert.deepEqual(metrics, [{ name: "events", kind: "count", groups: [{ by: {}, value: 0 }] }]);
});

test("report measures a field that is called events, and one whose name is no word of CEL", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": '{"events":3,"@took-ms":5}\n' });

  const { metrics } = await reportOf([
    join(folder, "a.jsonl"),
    "--value",
    "events=n",
    "--value",
    "@took-ms=ms",
  ]);

  assert.deepEqual(
    metrics.map(({ name, kind, groups }) => [name, kind, groups[0]?.n ?? groups[0]?.value, groups[0]?.max]),
    [
      ["events", "count", 1, undefined],
      ["events", "distribution", 1, 3],
      ["@took-ms", "distribution", 1, 5],
    ],
  );
});

test("report guesses only without --by, --value and --where, and says so on stderr", async (t) => {
  const lines = Array.from(
    { length: 20 },
    (_, i) => `{"ts":"2026-01-01T00:00:0${i % 9}Z","route":"/r${i % 2}","duration_ms":${i}}`,
  );
  const folder = await folderWith(t, { "app.jsonl": `${lines.join("\n")}\n` });

  const guessed = await runHere(["report", join(folder, "app.jsonl")]);
  const told = await reportOf([join(folder, "app.jsonl"), "--by", "route"]);

  assert.match(guessed.err, /understood.*JSON · time = ts \(ISO 8601/);
  assert.match(guessed.err, /duration = duration_ms \(ms\)/);
  assert.match(guessed.err, /group = route \(2 values\)/);
  assert.match(guessed.out, /^ledger {2}20 in = 20 done$/m);
  assert.deepEqual(
    told.metrics.map(({ name }) => name),
    ["events"],
  );
  assert.equal(told.outcome.err, "");
});

test("report as text keeps to the width and cuts no number", async (t) => {
  const lines = Array.from(
    { length: 30 },
    (_, i) =>
      `{"route":"/a/very/long/route/that/does/not/fit/into/forty/columns/${i % 3}","size":${1_234_567_890 + i}}`,
  );
  const folder = await folderWith(t, { "app.jsonl": `${lines.join("\n")}\n` });
  const args = ["report", join(folder, "app.jsonl"), "--by", "route", "--value", "size=bytes"];

  for (const columns of [60, 80, 100]) {
    const { out } = await runHere(args, { columns });

    for (const line of out.split("\n")) assert.ok(line.length <= columns, `${columns}: ${line}`);
    assert.match(out, /1,234,567,9\d\d/);
  }
});

const wrong: readonly [string, readonly string[], number, RegExp][] = [
  ["a file that is missing", ["nowhere.jsonl"], 4, /nowhere\.jsonl: there is no such file/],
  ["no file", [], 2, /missing required argument/],
  ["a value without a unit", ["FILE", "--value", "latency"], 2, /latency=ms/],
  ["a unit without a field", ["FILE", "--value", "=ms"], 2, /needs its unit/],
  ["a field measured twice", ["FILE", "--value", "a=ms", "--value", "a=s"], 2, /twice/],
  ["a field given twice", ["FILE", "--by", "a", "--by", "a"], 2, /already/],
  ["a path with an empty part", ["FILE", "--by", "a..b"], 2, /empty part/],
  ["an expression that is none", ["FILE", "--where", "a =="], 2, /EVENTS_EXPRESSION/],
  ["a condition that is none", ["FILE", "--where", "size(a)"], 2, /true or false, and this is of type int/],
  ["a format that is none", ["FILE", "--format", "(?<a>"], 2, /EVENTS_FORMAT/],
  ["an unknown option", ["FILE", "--bu", "a"], 2, /Did you mean --by/],
  ["a compressed file", ["old.gz"], 4, /zcat/],
  ["a glob that matches nothing", ["nowhere-*.jsonl"], 4, /nowhere-\*\.jsonl: no file matches/],
  ["a folder without files", ["EMPTY"], 4, /no file in this folder/],
  ["a device that never ends", ["/dev/zero"], 4, /\/dev\/zero: not a regular file/],
];

const forever = `${"a".repeat(60)}!\n`;
const endless: readonly [string, readonly string[], RegExp][] = [
  ["a format", ["--format", "^(?<x>(a+)+)$"], /Let no two repeats match/],
  ["a format with --by", ["--format", "^(?<x>(a+)+)$", "--by", "x"], /more than 2 s on a line of 61/],
  ["a condition", ["--format", "(?<x>.*)", "--where", 'x.matches("^(a+)+$")'], /Cannot use --where/],
];

for (const [what, args, message] of endless) {
  test(`report refuses ${what} with a pattern that takes for ever`, async (t) => {
    const folder = await folderWith(t, { "a.log": `b\n${forever}` });

    const outcome = await runHere(["report", join(folder, "a.log"), ...args]);

    assert.equal(outcome.code, 2, outcome.err);
    assert.match(outcome.err, message);
  });
}

for (const [what, args, code, message] of wrong) {
  test(`report refuses ${what} with exit code ${code}`, async (t) => {
    const folder = await folderWith(t, { "a.jsonl": orders, "old.gz": "x", "empty/sub/a": "" });
    const places: Record<string, string> = { FILE: "a.jsonl", "old.gz": "old.gz", EMPTY: "empty" };
    const named = args.map((arg) => (arg in places ? join(folder, places[arg]!) : arg));

    const outcome = await runHere(["report", ...named]);

    assert.equal(outcome.code, code, outcome.err);
    assert.equal(outcome.out, "");
    assert.match(outcome.err, message);
  });
}

test("report --json says errors as JSON with a code", async () => {
  const { code, out, err } = await runHere(["report", "nowhere.jsonl", "--json"]);

  assert.equal(code, 4);
  assert.equal(out, "");
  const error = JSON.parse(err) as { schema: string; code: string; message: string };
  assert.deepEqual([error.schema, error.code], ["poundlock.error/1", "CLI_INPUT"]);
});

test("report says which formats there are when no line could be read as JSON", async (t) => {
  const folder = await folderWith(t, { "access.log": "a b c\n" });

  const { err, code } = await runHere(["report", join(folder, "access.log"), "--by", "status"]);

  assert.equal(code, 0);
  assert.match(err, /--format/);
});

test("report does not blame the format when lines were read and their values are wrong", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": '{"a":"x"}\n' });

  const { err } = await runHere(["report", join(folder, "a.jsonl"), "--value", "a=ms"]);

  assert.match(err, /"a" is not a finite number/);
  assert.doesNotMatch(err, /--format/);
});

test("report reads a folder", async (t) => {
  const folder = await folderWith(t, { "logs/a.jsonl": orders, "logs/b.jsonl": orders });
  await appendFile(join(folder, "logs/b.jsonl"), "");

  const { ledger } = await reportOf([join(folder, "logs"), "--by", "status"]);

  assert.equal(ledger.accepted, 8);
});

test("report reads named pipes to their end, and keeps no copy", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": "", "tmp/keep": "" });
  const pipes = ["p", "q"].map((name) => join(folder, name));
  for (const pipe of pipes) execFileSync("mkfifo", [pipe]);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(folder, "tmp");
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });

  const [{ ledger, metrics, outcome }] = await Promise.all([
    reportOf([...pipes, "--by", "status"]),
    writeFile(pipes[0]!, orders),
    writeFile(pipes[1]!, `${orders}not json`),
  ]);

  assert.equal(ledger.accepted, 9);
  assert.equal(ledger.dead, 1);
  assert.deepEqual(metrics[0]?.groups.at(-1), { by: { status: "open" }, value: 4 });
  assert.match(outcome.err, new RegExp(`^ {2}${pipes[1]} at byte`, "m"));
  assert.deepEqual(await readdir(join(folder, "tmp")), ["keep"]);
});

test("report removes the copy of standard input when a signal ends it", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": "" });
  const child = spawn(process.execPath, [main, "report", "-", "--by", "a"], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["pipe", "ignore", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  child.stdin.write('{"a":1}\n');
  const isCopying = async (): Promise<boolean> =>
    (await readdir(folder)).some((name) => name.startsWith("poundlock-"));
  while (!(await isCopying())) await new Promise((resolve) => setImmediate(resolve));

  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number | null];

  assert.equal(code, 130);
  assert.deepEqual(await readdir(folder), ["a.jsonl"]);
});

test("report of files some of which cannot be read finishes in part", async (t) => {
  const folder = await folderWith(t, { "a.jsonl": orders });
  await symlink(join(folder, "loop.jsonl"), join(folder, "loop.jsonl"));

  const outcome = await runHere(["report", join(folder, "*.jsonl"), "--by", "status", "--json"]);

  assert.equal(outcome.code, 5, outcome.err);
  assert.match(outcome.err, /loop\.jsonl can't be read: ELOOP/);
  assert.equal((JSON.parse(outcome.out) as Report).ledger.accepted, 4);
});

test("report looks at the files that it may read", { skip: process.getuid?.() !== 0 }, async (t) => {
  const folder = await folderWith(t, { "a.jsonl": orders, "b.jsonl": orders });
  await chmod(folder, 0o755);
  await chmod(join(folder, "b.jsonl"), 0o600);

  const child = spawn(process.execPath, [main, "report", folder], {
    uid: 65_534,
    gid: 65_534,
    stdio: "ignore",
  });
  const [code] = (await once(child, "exit")) as [number | null];

  assert.equal(code, 5);
});

test("report keeps more groups than a metric that is watched does", async (t) => {
  const users = Array.from({ length: 10_500 }, (_, i) => `{"user":"u${i}"}\n`).join("");
  const folder = await folderWith(t, { "a.jsonl": users });

  const { metrics } = await reportOf([join(folder, "a.jsonl"), "--by", "user"]);

  assert.equal(metrics[0]?.groups.length, 10_500);
  assert.equal(
    metrics[0]?.groups.some((group) => "isOverflow" in group),
    false,
  );
});
