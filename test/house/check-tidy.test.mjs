import assert from "node:assert/strict";
import test from "node:test";
import { checkTidy } from "../../scripts/check-tidy.mjs";
import { fixture } from "./fixture.mjs";

/** The files with a problem, as "path:line", in order. */
function placesIn(t, files) {
  return checkTidy(fixture(t, files)).problems.map((problem) => problem.split(" ")[0]);
}

for (const [what, path, text] of [
  ["the machine's clock", "src/tail/a.ts", "const at = Date.now();"],
  ["a date of now", "src/tail/a.ts", "const at = new Date();"],
  ["the monotonic clock", "src/tail/a.ts", "const at = performance.now();"],
  ["a timer", "src/tail/a.ts", "setTimeout(run, 5);"],
  [
    "timers as promises",
    "src/tail/a.ts",
    `import { setTimeout as sleep } from "node:timers/promises"; sleep(1);`,
  ],
  ["console", "src/tail/a.ts", `console.error("no");`],
  ["a bare error", "src/tail/a.ts", `throw new Error("no");`],
  ["a bare rejection", "src/tail/a.ts", `reject(new Error("no"));`],
  ["the end of the process", "src/tail/a.ts", "process.exit(1);"],
  ["an enum", "src/tail/a.ts", "export enum A { B }"],
  ["a namespace", "src/tail/a.ts", "namespace A {}"],
  ["private", "src/tail/a.ts", "class A { private a = 1; }"],
  ["any by a cast", "bench/a.ts", "f(x as any);"],
  ["an ignored type error", "src/tail/a.ts", "// @ts-ignore: because\nf();"],
  ["eval", "scripts/a.mjs", `eval("1");`],
  ["an empty catch", "web/a.ts", "try { f(); } catch {\n}"],
  ["an empty catch with a name", "src/tail/a.ts", "try { f(); } catch (error) {}"],
  ["one test alone", "src/tail/a.test.ts", `test.only("a", f);`],
  ["a skipped test", "test/crash/a.test.ts", `test("a", { skip: true }, f);`],
  ["a test left out by itself", "test/crash/a.test.ts", "t.skip();"],
  ["sleep in a test", "src/tail/a.test.ts", "await new Promise((done) => setTimeout(done, 5));"],
  ["work left behind", "src/tail/a.ts", `// ${"TO"}DO: later`],
  ["a machine's path in a document", "docs/a.md", `see ${"/wo"}rk/main/x`],
  ["a fixed folder for temporary files", "src/tail/a.test.ts", `open("${"/t"}mp/a");`],
])
  test(`checkTidy() refuses ${what}`, (t) => {
    assert.deepEqual(
      placesIn(t, { [path]: text }).map((place) => place.replace(/:\d+$/, "")),
      [path],
    );
  });

test("checkTidy() sees no code in comments and strings, and lets named files be", (t) => {
  const places = placesIn(t, {
    "src/base/clock.ts": "export const now = () => Date.now();",
    "src/tail/a.ts": `// Date.now() jumps\nexport const a = "console.log"; const b = \`eval(\${a})\`; b;`,
    "src/tail/b.ts": "try { f(); } catch {\n  // Gone already.\n}",
    "src/tail/a.test.ts": "const at = Date.now(); at;",
    "src/tail/c.ts": "class C { private constructor() {} }",
    "bench/a.ts": "const at = performance.now(); at;",
  });

  assert.deepEqual(places, []);
});

test("checkTidy() says the line, also below comments and strings of several lines", (t) => {
  assert.deepEqual(placesIn(t, { "src/tail/a.ts": "/*\n*/\nconst a = `\n`;\nDate.now();" }), [
    "src/tail/a.ts:5",
  ]);
});

test("checkTidy() refuses a product file over 400 lines, but not a test", (t) => {
  const long = "f();\n".repeat(401);

  assert.deepEqual(placesIn(t, { "src/tail/a.ts": long, "src/tail/a.test.ts": long }), ["src/tail/a.ts"]);
});

test("checkTidy() refuses a lock that says where packages were fetched", (t) => {
  const lock = {
    packages: { "": {}, "node_modules/a": { version: "1.0.0", resolved: "https://example.org/a.tgz" } },
  };

  assert.deepEqual(placesIn(t, { "package-lock.json": JSON.stringify(lock) }), ["package-lock.json:"]);
});
