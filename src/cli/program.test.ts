import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { folderWith, runHere } from "./cli.testkit.js";

const commands = [
  "",
  "watch",
  "report",
  "up",
  "demo",
  "validate",
  "query",
  "ledger",
  "dlq list",
  "dlq show",
  "locks",
  "locks merge",
];

for (const command of commands) {
  test(`poundlock ${command} --help fits 80 columns and leads to examples`, async () => {
    const { code, out, err } = await runHere([...command.split(" ").filter((word) => word !== ""), "--help"]);

    assert.equal(code, 0);
    assert.equal(err, "");
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
    assert.match(out, /^Usage: poundlock/);
    assert.match(out, /Examples:\n {2}/);
  });
}

test("poundlock --help says what there is", async () => {
  const { out } = await runHere(["--help"]);

  assert.equal(
    out,
    `Usage: poundlock [FILE...] | COMMAND

Live metrics from event streams that are right: nothing lost, nothing
counted twice, nothing stuck.

Options:
  -V, --version                 the version
  -h, --help                    this help

Commands:
  watch [options] [file...]     follow files, with a live dashboard
  report [options] <file...>    read files to the end, print exact totals, exit
  up [options]                  run what a configuration says
  demo [options]                made-up orders with a live dashboard
  validate [options] [file...]  check a configuration
  query [options] [metric]      show a metric's numbers
  ledger [options]              show where every event is
  dlq                           look at the dead letters
  locks [options]               show who holds and who waits for locks
  help [command]                help for a command

Examples:
  poundlock demo                     made-up orders and the dashboard
  poundlock app.jsonl                follow a file; its numbers on a web page
  poundlock report app.jsonl --json  read it to the end, print totals, exit

Exit codes: 0 done, 1 the answer is no, 2 usage, 3 cannot start, 4 cannot reach,
5 in part, 70 a bug. A command's own help: poundlock COMMAND --help
`,
  );
});

test("poundlock --version is the package's", async () => {
  const { code, out } = await runHere(["--version"]);

  assert.equal(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

test("a mistyped command names the one that was meant", async () => {
  const { code, err } = await runHere(["reprot", "app.jsonl"]);

  assert.equal(code, 2);
  assert.match(err, /fix {3}poundlock report/);
});

test("a file that is missing is a file, not a command", async () => {
  const { code, err } = await runHere(["nowhere.jsonl"]);

  assert.equal(code, 4);
  assert.match(err, /there is no such file/);
});

test("standard input cannot be watched, and the error says what to do", async () => {
  const { code, err } = await runHere(["-"]);

  assert.equal(code, 2);
  assert.match(err, /poundlock report -/);
});

test("validate shows mistakes, warnings and what is there", async (t) => {
  const good =
    "version: 1\nsources: { a: { type: file, path: a, time: ts } }\nmetrics: { n: { kind: count } }\n";
  const folder = await folderWith(t, {
    "good.yaml": good,
    "warn.yaml": good.replace(/metrics.*\n/, ""),
    "bad.yaml": good.replace("count", "cuont"),
  });
  const file = (name: string): string => join(folder, name);

  const ok = await runHere(["validate", file("good.yaml")]);
  const warned = await runHere(["validate", "-c", file("warn.yaml"), "--deny-warnings"]);
  const bad = await runHere(["validate", file("bad.yaml"), "--json"]);

  assert.equal(ok.code, 0);
  assert.match(ok.out, /^ok {2}.*good\.yaml {2}1 source, 1 metric, 0 warnings\n$/);
  assert.equal(warned.code, 1);
  assert.match(warned.out, /warning {2}.*there are no metrics/);
  assert.equal(bad.code, 1);
  const { schema, items } = JSON.parse(bad.out) as {
    schema: string;
    items: { problems: { line: number; fix: string }[] }[];
  };
  assert.equal(schema, "poundlock.validate/1");
  assert.deepEqual(
    items[0]?.problems.map(({ line, fix }) => [line, fix]),
    [[3, "kind: count"]],
  );
});

test("up without a configuration cannot start, and says how to", async (t) => {
  const folder = await folderWith(t, {});

  const { code, err } = await runHere(["up"], { folder });

  assert.equal(code, 3);
  assert.match(err, /poundlock FILE/);
});

test("commands that ask a server say when there is none", async (t) => {
  const folder = await folderWith(t, { ".poundlock/run.json": '{"pid":999999999,"port":1}' });

  for (const args of [["ledger"], ["query", "x"], ["dlq", "list"], ["dlq", "show", "1"]]) {
    const { code, err } = await runHere(args, { folder });

    assert.equal(code, 4, args.join(" "));
    assert.match(err, /CLI_UNREACHABLE/);
  }
});

test("a server that does not answer is named", async () => {
  const { code, err } = await runHere(["ledger", "--server", "http://127.0.0.1:1", "--json"]);

  assert.equal(code, 4);
  assert.match((JSON.parse(err) as { message: string }).message, /127\.0\.0\.1:1/);
});

test("colours come with --color always and go with NO_COLOR", async () => {
  const plain = await runHere(["nowhere.jsonl"], { environment: { NO_COLOR: "1", FORCE_COLOR: "1" } });
  const colored = await runHere(["nowhere.jsonl", "--color", "always"]);

  assert.equal(plain.err.includes("\u001b"), false);
  assert.equal(colored.err.includes("\u001b[31m"), true);
});
