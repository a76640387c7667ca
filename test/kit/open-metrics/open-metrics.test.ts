import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readExposition } from "./exposition.js";
import { OpenMetricsError } from "./grammar.js";
import { readOpenMetrics } from "./rules.js";

/** Bodies, without the last line. */
const good = [
  "",
  "plain 1\n",
  "plain NaN\nother -inF\nthird +Infinity\n",
  "v 007.5E-2 -1.5\n",
  '# HELP x \\\\ \\n \\" \\q\n# TYPE x gauge\n# UNIT x \nx{} 1\n',
  '# TYPE c counter\nc_total{a="1"} 1 2 # {t="x"} 0.5 3\nc_created{a="1"} 1 2\nc_total{a="2"} 0\n',
  '# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total{l="\\"},{\\n # "} 1\n',
  '# TYPE h histogram\nh_bucket{le="0"} 0 # {} 0\nh_bucket{le="+Inf"} 2\nh_count 2\nh_sum 1.5\nh_created 1\n',
  '# TYPE h histogram\nh_bucket{le="-1"} 1\nh_bucket{le="+Inf"} 2\n',
  '# TYPE h gaugehistogram\nh_bucket{le="-1"} 1\nh_bucket{le="+Inf"} 1\nh_gcount 1\nh_gsum -4\n',
  '# TYPE s summary\ns{quantile="0.5"} NaN\ns_count 0\ns_sum 0\n',
  '# TYPE st stateset\nst{st="a"} 0\nst{st="b"} 1\n# TYPE i info\ni_info{v="1"} 1.0\n',
  '# TYPE g gauge\ng{a="1"} 1 5\ng{a="1"} 2 5\ng{a="1"} 3 6\ng{a=""} 1\n',
];

/** Each breaks one rule. */
const bad: readonly (readonly [rule: RegExp, body: string])[] = [
  [/must be a sample/, "\n"],
  [/must be a sample/, "x 1 \n"],
  [/must be a sample/, "x  1\n"],
  [/must be a sample/, "x\n"],
  [/must be a sample/, "x 0x1\n"],
  [/must be a sample/, "x 1_0\n"],
  [/must be a sample/, "x 1 NaN\n"],
  [/must be a sample/, 'x{a="1",} 1\n'],
  [/must be a sample/, 'x{a="1"b="2"} 1\n'],
  [/must be a sample/, 'x{a="1"}1\n'],
  [/must be a sample/, "x{a='1'} 1\n"],
  [/must be a sample/, 'x{0="1"} 1\n'],
  [/must be a sample/, "0x 1\n"],
  [/must be a sample/, "x.y 1\n"],
  [/must be a sample/, '# TYPE c counter\nc_total 1 #{a="1"} 1\n'],
  [/must be a sample/, '# TYPE c counter\nc_total 1 # {a="1"} \n'],
  [/carriage return/, "x 1\r\n"],
  [/names must be unique/, 'x{a="1",a="1"} 1\n'],
  [/no line but metadata/, "# NOTE x y\n"],
  [/no line but metadata/, "# HELP x\n"],
  [/no line but metadata/, "#x\n"],
  [/no such type/, "# TYPE x untyped\n"],
  [/metadata must come before/, "# TYPE x gauge\nx 1\n# HELP x y\n"],
  [/metadata twice/, "# HELP x y\n# HELP x y\n"],
  [/share a name/, "# TYPE x counter\n# TYPE y gauge\n# TYPE x info\n"],
  [/share a name/, "# TYPE x_created gauge\n# TYPE x counter\n"],
  [/share a name/, "x 1\ny 1\nx 2\n"],
  [/unit must be the end/, "# TYPE x gauge\n# UNIT x seconds\n"],
  [/no unit/, "# TYPE x_u info\n# UNIT x_u u\n"],
  [/must not be NaN or negative/, "# TYPE c counter\nc_total -1\n"],
  [/must not be NaN or negative/, '# TYPE h histogram\nh_bucket{le="+Inf"} NaN\n'],
  [/whole numbers/, '# TYPE h histogram\nh_bucket{le="+Inf"} 0.5\n'],
  [/last bucket must be \+Inf/, "# TYPE h histogram\nh_count 1\nh_sum 1\n"],
  [/infinite edge/, '# TYPE h histogram\nh_bucket{le="inf"} 1\n'],
  [/must have an edge/, "# TYPE h histogram\nh_bucket 1\n"],
  [/edge must be a number/, '# TYPE h histogram\nh_bucket{le="x"} 1\n'],
  [
    /edges must ascend/,
    '# TYPE h histogram\nh_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n',
  ],
  [/must be cumulative/, '# TYPE h histogram\nh_bucket{le="2"} 2\nh_bucket{le="+Inf"} 1\n'],
  [/or neither/, '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 1\n'],
  [/count must be that/, '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 2\nh_sum 1\n'],
  [
    /must have no sum/,
    '# TYPE h histogram\nh_bucket{le="-1"} 0\nh_bucket{le="+Inf"} 1\nh_count 1\nh_sum 1\n',
  ],
  [/without negative edges/, '# TYPE h gaugehistogram\nh_bucket{le="+Inf"} 1\nh_gcount 1\nh_gsum -1\n'],
  [/in 0\.\.1/, '# TYPE s summary\ns{quantile="1.1"} 1\n'],
  [/must not be negative/, '# TYPE s summary\ns{quantile="1"} -1\n'],
  [/must be 0 or 1/, '# TYPE s stateset\ns{s="a"} 2\n'],
  [/label called as its family/, "# TYPE s stateset\ns 1\n"],
  [/info's value/, "# TYPE i info\ni_info 2\n"],
  [/may have exemplars/, "# TYPE g gauge\ng 1 # {} 1\n"],
  [/exceed 128/, `# TYPE c counter\nc_total 1 # {a="${"x".repeat(128)}"} 1\n`],
  [/must lie in its bucket/, '# TYPE h histogram\nh_bucket{le="1"} 1 # {} 2\nh_bucket{le="+Inf"} 1\n'],
  [/metrics must not be interleaved/, '# TYPE g gauge\ng{a="1"} 1 1\ng{a="2"} 1 1\ng{a="1"} 1 2\n'],
  [/label set must be unique/, '# TYPE g gauge\ng{a="1",b="2"} 1\ng{b="2",a="1"} 1\n'],
  [/must have times, or none/, "# TYPE g gauge\ng 1 1\ng 1\n"],
  [/must not go back/, "# TYPE g gauge\ng 1 2\ng 1 1\n"],
];

test("readOpenMetrics() takes every text that the specification allows", () => {
  for (const body of good) assert.doesNotThrow(() => readOpenMetrics(`${body}# EOF`), JSON.stringify(body));
});

test("readOpenMetrics() names the rule that a text breaks", () => {
  for (const [rule, body] of bad)
    assert.throws(() => readOpenMetrics(`${body}# EOF\n`), { name: "OpenMetricsError", message: rule }, body);
  for (const text of [
    "",
    "x 1\n",
    "# EOF\nx 1\n",
    "# EOF\n\n",
    "# EOFx",
    "\ufeff# EOF\n",
    "# HELP x \ud800\n# EOF\n",
  ])
    assert.throws(() => readOpenMetrics(text), OpenMetricsError, JSON.stringify(text));
});

test("readOpenMetrics() gives what a text says", () => {
  const text = '# TYPE c counter\n# HELP c \\\\ \\n \\" \\q\nc_total{a="\\n\\\\\\"\\x",b=""} 1.50 2\n# EOF';

  const [family] = readOpenMetrics(text);

  assert.equal(family?.help, '\\ \n " \\q');
  const labels = new Map([
    ["a", '\n\\"\\x'],
    ["b", ""],
  ]);
  assert.deepEqual(family?.samples, [
    { name: "c_total", labels, value: 1.5, valueText: "1.50", timestamp: "2" },
  ]);
});

test("readExposition() holds writers to what is only recommended, too", () => {
  const withEdge = (edge: string): string =>
    `# TYPE h histogram\nh_bucket{le="${edge}"} 1\nh_bucket{le="+Inf"} 1\n# EOF\n`;
  for (const edge of [
    "0.0",
    "0.001",
    "0.01",
    "0.999",
    "1.0",
    "1.7",
    "10.0",
    "1e-10",
    "1e-09",
    "1e-05",
    "0.0001",
  ])
    assert.doesNotThrow(() => readExposition(withEdge(edge)), edge);
  for (const edge of ["100000.0", "1e+06", "1e+10", "4.194304e+06", "123456.5"])
    assert.doesNotThrow(() => readExposition(withEdge(edge)), edge);
  for (const edge of [
    "0",
    "1",
    "1.50",
    "01.0",
    "1e6",
    "1e+6",
    "1000000.0",
    "0.00001",
    "10e+06",
    "1.0e+06",
    "1e+006",
  ])
    assert.throws(() => readExposition(withEdge(edge)), /canonical/, edge);
  for (const [rule, text] of [
    [/should end with a line/, "# EOF"],
    [/single backslash/, '# TYPE g gauge\ng{a="\\x"} 1\n# EOF\n'],
    [/quote in help/, '# TYPE g gauge\n# HELP g "\n# EOF\n'],
    [/TYPE, UNIT, HELP/, "# HELP g h\n# TYPE g gauge\n# EOF\n"],
    [/TYPE, UNIT, HELP/, "g 1\n# EOF\n"],
    [/name is reserved/, "# TYPE _g gauge\n# EOF\n"],
    [/name is reserved/, "# TYPE g:h gauge\n# EOF\n"],
    [/label name is reserved/, '# TYPE g gauge\ng{_a="1"} 1\n# EOF\n'],
    [/no times/, "# TYPE g gauge\ng 1 1\n# EOF\n"],
  ] as const)
    assert.throws(() => readExposition(text), { name: "OpenMetricsError", message: rule }, text);
});

/** Inputs of the conformance suite, where they are: beside the repository, or its tests/testdata/parsers. */
const inputs =
  process.env.POUNDLOCK_OPENMETRICS ??
  fileURLToPath(new URL("../../../../../shared/data/openmetrics", import.meta.url));

test("readOpenMetrics() agrees with the conformance suite, as far as its inputs are here", () => {
  for (const { path, isGood } of existsSync(inputs) ? suiteInputs(inputs) : []) {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    if (isGood) assert.doesNotThrow(() => readOpenMetrics(text), path);
    else assert.throws(() => readOpenMetrics(text), OpenMetricsError, path);
  }
});

/** Loose files are good ones; a folder says in test.json which it is. */
function suiteInputs(folder: string): { readonly path: string; readonly isGood: boolean }[] {
  return readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return { path, isGood: true };
    const { file, shouldParse } = JSON.parse(readFileSync(join(path, "test.json"), "utf8"));
    return { path: join(path, file), isGood: shouldParse === true };
  });
}
