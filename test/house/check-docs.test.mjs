import assert from "node:assert/strict";
import test from "node:test";
import { checkDocs } from "../../scripts/check-docs.mjs";
import { fixture } from "./fixture.mjs";

function problemsIn(t, files) {
  return checkDocs(fixture(t, files)).problems;
}

const errors = `export class A extends PoundlockError { readonly code = "A_ONE"; }
export class B extends PoundlockError { readonly code: "B_ONE" | "B_TWO"; }`;
const described = "# Errors\n\n## A_ONE\n\n## B_ONE\n\n## B_TWO\n";

test("checkDocs() passes codes that are described and links that lead somewhere", (t) => {
  const problems = problemsIn(t, {
    "src/a/errors.ts": errors,
    "docs/reference/errors.md": described,
    "README.md":
      "[code](docs/reference/errors.md#a_one), [here](#a-b), [there](#a--b), [out](https://example.org/x)\n\n## A & b\n\n## A: b\n\n`[no](link)`\n\n```md\n[no](link)\n```\n",
  });

  assert.deepEqual(problems, []);
});

for (const [what, files, expected] of [
  [
    "a code without a section",
    { "src/a/errors.ts": errors, "docs/reference/errors.md": described.replace("## B_TWO\n", "") },
    "src/a/errors.ts: docs/reference/errors.md has no section ## B_TWO",
  ],
  [
    "a section without a code",
    { "docs/reference/errors.md": "# Errors\n\n## A_ONE\n" },
    "docs/reference/errors.md:3 no error has the code A_ONE",
  ],
  [
    "sections out of order",
    { "src/a/errors.ts": errors, "docs/reference/errors.md": "## B_ONE\n## A_ONE\n## B_TWO\n" },
    "docs/reference/errors.md:2 A_ONE stands after B_ONE: sections are in order of the alphabet",
  ],
  [
    "a code used twice",
    {
      "src/a/errors.ts": errors,
      "src/b/errors.ts": `readonly code = "A_ONE";`,
      "docs/reference/errors.md": described,
    },
    "src/b/errors.ts: the code A_ONE is already in src/a/errors.ts",
  ],
  [
    "an error outside errors.ts",
    { "src/a/a.ts": `class A extends PoundlockError { readonly code = "A_ONE"; }` },
    "src/a/a.ts: the error A_ONE belongs in the module's errors.ts",
  ],
  [
    "a code without a class and a section",
    { "src/a/a.ts": `const body = { code: error.code ?? "A_SIX" };` },
    "src/a/a.ts: docs/reference/errors.md has no section ## A_SIX",
  ],
  ["a link to nothing", { "README.md": "\n[a](docs/a.md)" }, "README.md:2 docs/a.md leads to nothing"],
  ["a picture that is not there", { "README.md": '<img src="a.png">' }, "README.md:1 a.png leads to nothing"],
  [
    "a link out of the repository",
    { "docs/a.md": "[a](../../b.md)" },
    "docs/a.md:1 ../../b.md leads out of the repository",
  ],
  [
    "a link to a heading that is not there",
    { "a.md": "[a](b.md#c)", "b.md": "# d" },
    "a.md:1 b.md has no heading #c",
  ],
])
  test(`checkDocs() refuses ${what}`, (t) => {
    assert.deepEqual(problemsIn(t, files), [expected]);
  });
