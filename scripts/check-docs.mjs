import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { anchorsOf, headingsOf, linksOf } from "./markdown.mjs";
import { rootDir } from "./paths.mjs";
import { isProgram, report, sourceFiles } from "./source-files.mjs";

const errorsPage = "docs/reference/errors.md";

/**
 * Holds the documents to the code: each error code is described and each description has its code, each relative link has
 * its file and heading. Commands and configurations shown are run by test/docs.
 */
export function checkDocs(root) {
  const pages = sourceFiles(root, ".", [".md"]);
  const problems = [...pages.flatMap((page) => brokenLinks(root, page)), ...checkErrors(root)];
  return { problems, fileCount: pages.length };
}

function brokenLinks(root, page) {
  const links = linksOf(readFileSync(join(root, page), "utf8"));
  return links.flatMap(({ target, line }) => {
    const problem = /^[a-z][a-z0-9+.-]*:/i.test(target) ? undefined : brokenLink(root, page, target);
    return problem === undefined ? [] : [`${page}:${line} ${problem}`];
  });
}

function brokenLink(root, page, target) {
  const [path, anchor] = decodeURI(target).split("#");
  const file = path === "" ? page : posix.join(posix.dirname(page), path);
  if (path.startsWith("/") || file.startsWith("..")) return `${target} leads out of the repository`;
  if (!existsSync(join(root, file))) return `${target} leads to nothing`;
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  return anchorsOf(readFileSync(join(root, file), "utf8")).includes(anchor)
    ? undefined
    : `${file} has no heading #${anchor}`;
}

function checkErrors(root) {
  const sources = sourceFiles(root, "src", [".ts"]).filter(
    (file) => !/\.(?:test|bench|fuzz)\.ts$/.test(file),
  );
  const texts = new Map(sources.map((file) => [file, readFileSync(join(root, file), "utf8")]));
  const page = existsSync(join(root, errorsPage)) ? readFileSync(join(root, errorsPage), "utf8") : "";
  const described = headingsOf(page).filter(({ level }) => level === 2);
  const declared = declaredCodes(texts);
  const isDescribed = (code) => described.some(({ text }) => text === code);
  const isUsed = (code) => [...texts.values()].some((text) => text.includes(`"${code}"`));
  return [
    ...misplacedCodes(texts),
    ...repeated(declared),
    ...[...declared, ...looseCodes(texts)]
      .filter(({ code }) => !isDescribed(code))
      .map(({ code, file }) => `${file}: ${errorsPage} has no section ## ${code}`),
    ...described
      .filter(({ text }) => !isUsed(text))
      .map(({ text, line }) => `${errorsPage}:${line} no error has the code ${text}`),
    ...outOfOrder(described),
  ];
}

const declaration = /\bcode\b[^=;\n]*= "([A-Z][A-Z0-9_]*)"/g;

/** In an errors.ts every capital word with an underscore is a code, whether a class has one or chooses among several. */
function declaredCodes(texts) {
  return [...texts]
    .filter(([file]) => file.endsWith("/errors.ts"))
    .flatMap(([file, text]) => {
      const codes = [...text.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)].map((match) => match[1]);
      return [...new Set(codes)].filter((code) => !code.startsWith("ERR_")).map((code) => ({ code, file }));
    });
}

/** Codes that are made without a class of their own: `{ code: "X_Y" }`, `code ?? "X_Y"`. */
function looseCodes(texts) {
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\bcode(?::| \?\?) "([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)]
      .filter(() => !file.endsWith("/errors.ts"))
      .map(([, code]) => ({ code, file })),
  );
}

function misplacedCodes(texts) {
  return [...texts]
    .filter(([file]) => !file.endsWith("/errors.ts"))
    .flatMap(([file, text]) => {
      const isError = /extends \w*Error\b/.test(text);
      return isError
        ? [...text.matchAll(declaration)].map(
            (match) => `${file}: the error ${match[1]} belongs in the module's errors.ts`,
          )
        : [];
    });
}

function repeated(declared) {
  const byCode = new Map();
  return declared.flatMap(({ code, file }) => {
    const first = byCode.get(code);
    byCode.set(code, first ?? file);
    return first === undefined ? [] : [`${file}: the code ${code} is already in ${first}`];
  });
}

function outOfOrder(sections) {
  return sections.slice(1).flatMap(({ text, line }, index) => {
    const before = sections[index].text;
    return before > text
      ? [`${errorsPage}:${line} ${text} stands after ${before}: sections are in order of the alphabet`]
      : [];
  });
}

if (isProgram(import.meta)) {
  const { problems, fileCount } = checkDocs(rootDir);
  report("check-docs", problems, `${fileCount} pages`);
}
