import assert from "node:assert/strict";
import test from "node:test";
import { mismatchOf, runSteps, stepsOf } from "../../scripts/docs-run.mjs";

const page = `
# A page

\`\`\`jsonl file=a/orders.jsonl
{"a":1}
{"a":2}
\`\`\`

Read it:

\`\`\`sh run
cat a/orders.jsonl
\`\`\`

\`\`\`text output
…
{"a":…}
\`\`\`

\`\`\`sh
rm -rf not run
\`\`\`
`;

test("stepsOf() takes the marked blocks in order, with their lines", () => {
  assert.deepEqual(
    stepsOf(page).map(({ kind, line }) => [kind, line]),
    [
      ["file", 4],
      ["run", 11],
      ["output", 15],
    ],
  );
});

test("runSteps() writes files, runs commands and compares what they print", () => {
  assert.deepEqual(runSteps(stepsOf(page)), []);
});

test("runSteps() names the line of an output that is not what was printed", () => {
  const [problem] = runSteps(stepsOf(page.replace('{"a":…}', '{"b":…}')));

  assert.equal(problem.line, 15);
  assert.match(problem.problem, /expected the line: \{"b":…\}/);
});

test("runSteps() wants the exit code that is announced", () => {
  assert.deepEqual(runSteps(stepsOf("```sh run exit=3\nexit 3\n```\n")), []);
  assert.match(runSteps(stepsOf("```sh run\nfalse\n```\n"))[0].problem, /exit code 1, not 0/);
});

test("runSteps() lets a page import what the package exports", () => {
  const imports =
    'import { LockDomain } from "poundlock/locks";\nconsole.log(new LockDomain({ name: "a" }).name);';
  const fences = `\`\`\`js file=a.mjs\n${imports}\n\`\`\`\n\`\`\`sh run\nnode a.mjs\n\`\`\`\n\`\`\`text output\na\n\`\`\`\n`;

  assert.deepEqual(runSteps(stepsOf(fences)), []);
});

for (const [what, shown, printed] of [
  ["the same", "a\nb", "a\nb\n"],
  ["other spaces", "a b", "  a     b"],
  ["a part of a line left out", "a … d", "a b c d"],
  ["lines left out", "a\n…\nd", "a\nb\nc\nd"],
  ["the end left out", "a", "a\nb"],
])
  test(`mismatchOf() is content with ${what}`, () => {
    assert.equal(mismatchOf(shown, printed), undefined);
  });

for (const [what, shown, printed] of [
  ["another line", "a\nc", "a\nb"],
  ["a line that is missing", "a\nb", "a"],
  ["the beginning left out in silence", "b", "a\nb"],
  ["a dot that is no pattern", "a.b", "axb"],
])
  test(`mismatchOf() is not content with ${what}`, () => {
    assert.match(mismatchOf(shown, printed), /expected the line/);
  });
