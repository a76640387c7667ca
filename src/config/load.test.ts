import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, ConfigFileError } from "./errors.js";
import { findConfigFile, readConfig, readConfigText } from "./load.js";
import type { LoadedConfig } from "./loaded-config.js";
import type { ConfigProblem } from "./problem.js";

const baseDir = "/base";

function read(text: string, environment: Record<string, string> = {}): LoadedConfig {
  return readConfigText(text, { file: "poundlock.yaml", baseDir, environment });
}

function problemsOf(text: string, environment: Record<string, string> = {}): readonly ConfigProblem[] {
  try {
    read(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function rendered(text: string, environment: Record<string, string> = {}): string {
  try {
    read(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

const source = "sources:\n  app: { type: file, path: ./a.jsonl, time: ts }\n";
const head = `version: 1\n${source}`;

test("readConfigText() takes the names that browsers know the server by, one or more, and refuses addresses of pages", () => {
  assert.deepEqual(read(`${head}server: { allowedHosts: dash.example }\n`).server.allowedHosts, [
    "dash.example",
  ]);
  assert.deepEqual(read(`${head}server: { allowedHosts: [a.example, b] }\n`).server.allowedHosts, [
    "a.example",
    "b",
  ]);

  const [problem] = problemsOf(`${head}server: { allowedHosts: ["https://dash.example:8443/x"] }\n`);

  assert.equal(problem?.path, "server.allowedHosts[0]");
  assert.equal(problem?.fix, "dash.example");
});

test("readConfig() gives one normal form with absolute paths", () => {
  const config = read(`version: 1
sources:
  app: { type: file, path: [./a.jsonl, /b/*.log], time: { field: at, format: ms }, where: 'x > 1', from: end, lineBytesMax: 64KiB }
  web: { type: file, path: access.log, format: combined }
  raw: { type: file, path: raw.txt, format: logfmt, time: arrival }
store: { type: lmdb, path: ./state, durability: always, stateBytesMax: 64MiB }
metrics:
  requests: { kind: count, from: [app], by: [route, order.coin], windows: [1m, 1h], groupsMax: 5 }
  latency: { kind: distribution, value: duration_ms, unit: ms, by: route, where: 'status < 500' }
  errors: { kind: ratio, of: requests, where: 'status >= 500' }
server: { host: "::1", port: 4700 }
`);

  assert.deepEqual(config.sources[0], {
    rule: {
      name: "app",
      format: { kind: "json" },
      time: { kind: "field", path: "at", format: "ms" },
      where: "x > 1",
    },
    patterns: ["/base/a.jsonl", "/b/*.log"],
    from: "end",
    lineBytesMax: 65_536,
  });
  assert.deepEqual(config.sources[1]?.rule.time, { kind: "field", path: "time", format: "clf" });
  assert.deepEqual(config.sources[2]?.rule.time, { kind: "arrival" });
  assert.deepEqual(config.metrics, [
    {
      name: "requests",
      kind: "count",
      from: ["app"],
      by: ["route", "order.coin"],
      groupsMax: 5,
      windowsMs: [60_000, 3_600_000],
    },
    {
      name: "latency",
      kind: "distribution",
      from: [],
      by: ["route"],
      where: "status < 500",
      value: "duration_ms",
      unit: "ms",
    },
    {
      name: "errors",
      kind: "ratio",
      from: ["app"],
      by: ["route", "order.coin"],
      of: "requests",
      where: "status >= 500",
    },
  ]);
  assert.deepEqual(config.store, {
    kind: "lmdb",
    path: "/base/state",
    durability: "always",
    stateBytesMax: 67_108_864,
  });
  assert.deepEqual(config.server, { host: "::1", port: 4700, isPortExplicit: true });
});

test("readConfig() fills in the store, the server and an open time format", () => {
  const config = read(`${head}metrics: { all: { kind: count } }\n`);

  assert.deepEqual(config.store, { kind: "lmdb", path: "/base/.poundlock" });
  assert.deepEqual(config.server, { host: "127.0.0.1", port: 4600, isPortExplicit: false });
  assert.equal(config.sources[0]?.isTimeFormatOpen, true);
  assert.deepEqual(config.warnings, []);
});

test("readConfig() warns of what works and is probably a mistake", () => {
  const text = `version: 1
sources:
  a: { type: file, path: a, time: ts }
  b: { type: file, path: b, time: ts }
metrics: { n: { kind: count, from: [a] } }
`;

  assert.deepEqual(read(text).warnings, ["no metric reads the source b"]);
  assert.match(read(head).warnings[0] ?? "", /no metrics/);
});

test("readConfig() shows every mistake with its place, in the order of the file", () => {
  const text = `version: 1
sources:
  app: { type: file, path: ./logs/*.jsonl, tyme: ts }
  edge: { type: http }
metrics:
  requests: { kind: count, from: [ap], by: [route] }
  latency:
    kind: distribution
    value: duration_ms
    windows: [1x]
`;

  assert.equal(
    rendered(text),
    `Cannot use poundlock.yaml: 5 mistakes

poundlock.yaml:3:44  sources.app.tyme: "tyme" is not a known key
   3 |   app: { type: file, path: ./logs/*.jsonl, tyme: ts }
     |                                            ^^^^ expected one of type, path, format, time, where, from, lineBytesMax
  fix   time:
  code  CONFIG_UNKNOWN_KEY

poundlock.yaml:4:17  sources.edge.type: "http" is not in this version of Poundlock
   4 |   edge: { type: http }
     |                 ^^^^ expected what this version has: see docs/reference/config.md
  fix   remove it, or use a later version
  code  CONFIG_NOT_IN_THIS_VERSION

poundlock.yaml:6:35  metrics.requests.from[0]: there is no source ap
   6 |   requests: { kind: count, from: [ap], by: [route] }
     |                                   ^^ expected the name of a source: app, edge
  fix   app
  code  CONFIG_REFERENCE

poundlock.yaml:7:3  metrics.latency: \`unit\` is missing
   7 |   latency:
     |   ^^^^^^^ expected a unit: ns us ms s m h bytes KiB MiB, or the word for what is counted (orders, tokens, usd)
  fix   unit: ms
  code  CONFIG_UNIT

poundlock.yaml:10:15  metrics.latency.windows[0]: "1x" is not a duration
  10 |     windows: [1x]
     |               ^^ expected a number and a unit: ms s m h d
  fix   1s        (or 1m)
  code  CONFIG_VALUE`,
  );
});

const single: readonly [string, string, string, Partial<ConfigProblem>][] = [
  ["an empty file", "", "", { code: "CONFIG_MISSING", line: 1, column: 1 }],
  [
    "a version of its own",
    `version: 2\n${source}`,
    "version",
    { code: "CONFIG_VALUE", line: 1, column: 10, fix: "1" },
  ],
  ["no version", source, "", { code: "CONFIG_MISSING", fix: "version: 1" }],
  ["no sources", "version: 1\nsources: {}\n", "sources", { code: "CONFIG_MISSING", line: 2 }],
  [
    "a source without time",
    "version: 1\nsources:\n  a: { type: file, path: x }\n",
    "sources.a",
    {
      code: "CONFIG_MISSING",
      line: 3,
      column: 3,
      fix: "time: ts        (or arrival, or none)",
    },
  ],
  [
    "a list that is empty",
    "version: 1\nsources:\n  a: { type: file, path: [], time: ts }\n",
    "sources.a.path",
    {
      code: "CONFIG_VALUE",
      column: 26,
    },
  ],
  [
    "a key one level too deep",
    `${head}metrics:\n  n: { kind: count, server: { port: 1 } }\n`,
    "metrics.n.server",
    {
      code: "CONFIG_UNKNOWN_KEY",
      fix: "it belongs at the top level, not indented",
    },
  ],
  [
    "a key inside time",
    "version: 1\nsources:\n  a: { type: file, path: x, time: { field: t, where: y } }\n",
    "sources.a.time.where",
    {
      code: "CONFIG_UNKNOWN_KEY",
      fix: "it belongs one level up, beside `time`",
    },
  ],
  [
    "a key that belongs into a metric",
    `${head}unit: ms\n`,
    "unit",
    {
      code: "CONFIG_UNKNOWN_KEY",
      fix: "it belongs into a metric",
    },
  ],
  [
    "a word of a later version",
    `${head}presets: [claude-code]\n`,
    "presets",
    { code: "CONFIG_NOT_IN_THIS_VERSION" },
  ],
  [
    "a store of a later version",
    `${head}store: { type: redis, url: x }\n`,
    "store.type",
    {
      code: "CONFIG_NOT_IN_THIS_VERSION",
    },
  ],
  [
    "a kind that is mistyped",
    `${head}metrics:\n  n: { kind: distributoin }\n`,
    "metrics.n.kind",
    {
      code: "CONFIG_VALUE",
      line: 5,
      column: 14,
      fix: "kind: distribution",
    },
  ],
  [
    "a unit under another name",
    `${head}metrics:\n  n: { kind: sum, value: x, unit: seconds }\n`,
    "metrics.n.unit",
    {
      code: "CONFIG_UNIT",
      fix: "unit: s",
    },
  ],
  [
    "a number as text",
    `${head}metrics:\n  n: { kind: count, groupsMax: "5" }\n`,
    "metrics.n.groupsMax",
    {
      code: "CONFIG_VALUE",
      fix: "5        (without quotes)",
    },
  ],
  [
    "a ratio of something that is no count",
    `${head}metrics:\n  d: { kind: sum, value: x, unit: n }\n  r: { kind: ratio, of: d, where: 'true' }\n`,
    "metrics.r.of",
    {
      code: "CONFIG_REFERENCE",
      line: 6,
    },
  ],
  [
    "groups on a ratio",
    `${head}metrics:\n  c: { kind: count }\n  r: { kind: ratio, of: c, where: 'true', by: [x] }\n`,
    "metrics.r.by",
    {
      code: "CONFIG_UNKNOWN_KEY",
      fix: "remove it: a ratio has the sources and groups of the metric it is `of`",
    },
  ],
  [
    "an expression, inside its quotes",
    `${head}metrics:\n  c: { kind: count, where: 'a == "it''s" && )' }\n`,
    "metrics.c.where",
    {
      code: "CONFIG_EXPRESSION",
      line: 5,
      column: 45,
    },
  ],
  [
    "an expression in a block",
    `${head}metrics:\n  c:\n    kind: count\n    where: |\n      a == 1 &&\n      )\n`,
    "metrics.c.where",
    {
      code: "CONFIG_EXPRESSION",
      line: 9,
      column: 7,
    },
  ],
  [
    "a regular expression",
    `version: 1\nsources:\n  a: { type: file, path: x, time: none, format: '(?<a>x' }\n`,
    "sources.a.format",
    {
      code: "CONFIG_VALUE",
      line: 3,
      column: 50,
    },
  ],
  [
    "a path with an empty part",
    `${head}metrics:\n  c: { kind: count, by: [a..b] }\n`,
    "metrics.c.by[0]",
    {
      code: "CONFIG_VALUE",
      column: 26,
    },
  ],
  ["a key that stands twice", `${head}version: 1\n`, "", { code: "CONFIG_SYNTAX", line: 4, column: 1 }],
  [
    "a name with a space",
    `${head}metrics:\n  "a b": { kind: count }\n`,
    "metrics.a b",
    { code: "CONFIG_VALUE", line: 5, column: 3, fix: "a_b" },
  ],
];

for (const [what, text, path, expected] of single) {
  test(`readConfig() shows ${what}`, () => {
    const [problem, ...others] = problemsOf(text);

    assert.deepEqual(others, []);
    assert.equal(problem?.path, path);
    assert.deepEqual({ ...problem, ...expected }, problem);
  });
}

test("readConfig() puts variables into scalars only, and never as structure", () => {
  const text = `version: 1
sources:
  app: { type: file, path: "\${DIR}/a", time: "\${FIELD:-ts}" }
server: { port: "\${PORT}", host: "\${HOST:-127.0.0.1}" }
metrics: { n: { kind: count, where: 'x == "$\${PORT}"' } }
`;
  const config = read(text, { DIR: "/logs: [evil]", PORT: "4700" });

  assert.deepEqual(config.sources[0]?.patterns, ["/logs: [evil]/a"]);
  assert.equal(config.server.port, 4700);
  assert.equal(config.metrics[0]?.where, `x == "\${PORT}"`);
});

test("readConfig() says that an unquoted reference in a mapping needs quotes", () => {
  const [problem, ...others] = problemsOf(`${head}server: { port: \${PORT}, host: x }\n`, { PORT: "1" });

  assert.deepEqual(others, []);
  assert.equal(problem?.column, 17);
  assert.equal(problem?.expected, "quotes around it");
});

test("readConfig() names a variable that is not set, where it stands", () => {
  const [problem] = problemsOf(`${head}server: { host: "x\${HOST_OF_MINE}" }\n`);

  assert.equal(problem?.code, "CONFIG_ENVIRONMENT");
  assert.equal(problem?.path, "server.host");
  assert.equal(problem?.column, 19);
  assert.match(problem?.message ?? "", /HOST_OF_MINE/);
});

test("readConfig() refuses aliases that would unfold without end", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 8; i += 1)
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(i === 1 ? "*a" : `*a${i - 1}`)
        .join(", ")}]`,
    );

  assert.equal(problemsOf(`${bomb.join("\n")}\n`)[0]?.code, "CONFIG_SYNTAX");
});

test("readConfig() takes a module, and names paths where there are no lines", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-config-"));
  t.after(() => rm(folder, { recursive: true }));
  const good = join(folder, "poundlock.config.mjs");
  const bad = join(folder, "bad.config.mjs");
  await writeFile(
    good,
    "export default { version: 1, sources: { a: { type: 'file', path: 'x', time: 'ts' } } };\n",
  );
  await writeFile(
    bad,
    "export default { version: 1, sources: { a: { type: 'file', path: 'x', tim: 'ts' } } };\n",
  );

  assert.deepEqual((await readConfig(good, {})).sources[0]?.patterns, [join(folder, "x")]);
  await assert.rejects(readConfig(bad, {}), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /bad\.config\.mjs {2}sources\.a\.tim: "tim" is not a known key/);
    return true;
  });
});

test("findConfigFile() says what is wrong when there is none, or two", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-config-"));
  t.after(() => rm(folder, { recursive: true }));

  await assert.rejects(findConfigFile(folder), ConfigFileError);
  await writeFile(join(folder, "poundlock.yaml"), head);
  assert.equal(await findConfigFile(folder), join(folder, "poundlock.yaml"));
  await writeFile(join(folder, "poundlock.config.js"), "");
  await assert.rejects(findConfigFile(folder), /both poundlock\.yaml and poundlock\.config\.js/);
});

test("readConfig() says why a file cannot be read", async () => {
  await assert.rejects(readConfig("/nowhere/poundlock.yaml", {}), /there is no such file/);
});

test("readConfig() loads TypeScript where Node.js does, and says so where it does not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-config-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "poundlock.config.mts");
  await writeFile(
    file,
    "const path: string = 'x';\nexport default { version: 1, sources: { a: { type: 'file', path, time: 'ts' } } };\n",
  );
  const hasTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

  const read = readConfig(file, {});

  if (hasTypeScript) assert.equal((await read).sources[0]?.rule.name, "a");
  else await assert.rejects(read, { code: "CONFIG_UNREADABLE", message: /cannot load TypeScript/ });
});

test("loadConfig() shows an alias without its anchor where it stands", () => {
  const [problem, ...others] = problemsOf(`${head}metrics:\n  a: *nowhere\n`);

  assert.deepEqual(others, []);
  assert.deepEqual([problem?.line, problem?.column, problem?.width], [5, 6, 8]);
  assert.match(problem?.message ?? "", /no anchor &nowhere/);
});
