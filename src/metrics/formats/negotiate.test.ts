import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { negotiate } from "./negotiate.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

const text = "text/plain; version=0.0.4; charset=utf-8";
const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const draft = "application/openmetrics-text; version=0.0.1; charset=utf-8";

function typeFor(accept: string | undefined): string {
  return negotiate(accept).contentType;
}

test("negotiate() gives scrapers the text format that they prefer", () => {
  const prometheus2 =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  const prometheus3 =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
  const victoria = "text/plain;version=0.0.4;q=1,*/*;q=0.1";

  assert.equal(typeFor(prometheus2), openMetrics);
  assert.equal(typeFor(prometheus3), `${openMetrics}; escaping=underscores`);
  assert.equal(typeFor(victoria), text);
});

test("negotiate() gives everybody else text 0.0.4", () => {
  const browser =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";
  for (const accept of [undefined, "", "*/*", browser, "text/*", "application/json", "text/html"])
    assert.equal(typeFor(accept), text, accept);
});

test("negotiate() weighs ranges as RFC 9110 does", () => {
  const cases: [string, string][] = [
    ["application/*", openMetrics],
    ["application/openmetrics-text", openMetrics],
    ["application/openmetrics-text; version=0.0.1", draft],
    ["application/openmetrics-text; version=2.0.0", text],
    [
      "application/openmetrics-text; version=2.0.0, application/openmetrics-text; version=1.0.0; q=0.1",
      openMetrics,
    ],
    ["text/plain;version=1.0.0", text],
    ["text/plain;version=1.0.0, application/openmetrics-text;q=0.1", openMetrics],
    ["text/plain; q=0.5, application/openmetrics-text; q=0.4", text],
    ["text/plain; q=0.4, application/openmetrics-text; q=0.5", openMetrics],
    ["application/openmetrics-text, text/plain", openMetrics],
    ["text/plain, application/openmetrics-text", text],
    ["*/*, application/openmetrics-text", openMetrics],
    ["*/*, application/openmetrics-text;q=0.9", text],
    ["*/*, text/plain;q=0", openMetrics],
    ["text/plain;q=0", text],
    ["text/plain;q=0.1, text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.5", text],
    ['APPLICATION/OpenMetrics-Text ; Version="1.0.0" ; Q=0.7', openMetrics],
    ["application/openmetrics-text;charset=utf-8;anything=else", openMetrics],
    [", ,application/openmetrics-text,,", openMetrics],
    ['text/plain;q=0.5;x=",application/openmetrics-text,"', text],
    ['text/plain;q=0.5;x="\\",application/openmetrics-text,"', text],
    ['application/openmetrics-text;version="1\\.0.0"', openMetrics],
    ['application/json;x="a,b\\",c", application/openmetrics-text', openMetrics],
  ];
  for (const [accept, expected] of cases) assert.equal(typeFor(accept), expected, accept);
});

test("negotiate() answers escaping= with what names are written like", () => {
  for (const scheme of ["allow-utf-8", "underscores", "dots", "values", '"none"'])
    assert.equal(typeFor(`text/plain;version=0.0.4;escaping=${scheme}`), `${text}; escaping=underscores`);
});

test("negotiate() takes no notice of malformed elements", () => {
  const malformed = [
    "application/openmetrics-text;q=2",
    "application/openmetrics-text;q=0.1234",
    "application/openmetrics-text;q=",
    "application/openmetrics-text;q=-1",
    "application/openmetrics-text;version",
    'application/openmetrics-text;version="1.0.0',
    "application/openmetrics-text version=1.0.0",
    "application/openmetrics-text/1",
    "application /openmetrics-text",
    "application",
    "*/openmetrics-text",
    "*",
    "\u0000",
    "application/openmetrics-text;;=",
  ];
  for (const accept of malformed) {
    assert.equal(typeFor(accept), text, accept);
    if (!accept.includes('"')) assert.equal(typeFor(`${accept}, application/*;q=0.1`), openMetrics, accept);
  }
});

test("negotiate() has an answer for any header, without delay", () => {
  const part = fc.constantFrom(
    "text/plain",
    "*/*",
    ";q=",
    "0.5",
    ",",
    ";",
    '"',
    "\\",
    "=",
    " ",
    "version",
    "\t",
    "a",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 30 }), (parts) => {
      assert.ok([text, openMetrics, draft].some((type) => typeFor(parts.join("")).startsWith(type)));
    }),
    { seed, numRuns: 500 },
  );
  // In proportion to its length, some 30 ms; a step for each pair of characters would take minutes.
  for (const hostile of [",", ";", '"\\', " ", "a/b;", 'a/b;c="\\"', "a/b;q=0.1,"]) {
    const startMs = performance.now();
    typeFor(hostile.repeat(262_144 / hostile.length));
    assert.ok(performance.now() - startMs < 10_000, `${hostile} repeated`);
  }
});
