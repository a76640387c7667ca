import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bans, exempt, linesMax, longFiles } from "./bans.mjs";
import { parseSource, visit } from "./imports.mjs";
import { rootDir } from "./paths.mjs";
import { isProgram, report, sourceFiles } from "./source-files.mjs";

const codeEndings = [".ts", ".js", ".mjs"];
const textEndings = [...codeEndings, ".md", ".json", ".yaml", ".yml", ".css", ".html", ".npmrc"];

/** Holds the files below `root` to the ban list. @returns what is wrong, one line each */
export function checkTidy(root) {
  const files = sourceFiles(root, ".", textEndings).filter((file) => !exempt.includes(file));
  const problems = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [...bannedIn(file, text), ...tooLong(file, text), ...resolvedIn(file, text)];
  });
  return { problems: [...problems, ...staleExceptions(root)], fileCount: files.length };
}

function bannedIn(file, text) {
  const wanted = bans.filter((ban) => isIn(ban.where, file) && ban.except?.[file] === undefined);
  if (wanted.length === 0) return [];
  const views = viewsOf(file, text);
  return wanted.flatMap(({ pattern, sees = "code", instead }) => {
    const view = views[sees];
    const matches = [...view.matchAll(new RegExp(pattern, "gm"))];
    return matches.map((match) => `${file}:${lineAt(view, match)} ${match[0].trim()}: use ${instead}`);
  });
}

function isIn(where, file) {
  const isCode = codeEndings.some((ending) => file.endsWith(ending)) && file.includes("/");
  const isTest = file.startsWith("test/") || /\.(?:test|bench|fuzz)\./.test(file);
  if (where === "product") return isCode && file.startsWith("src/") && !isTest;
  if (where === "tests") return isCode && (file.startsWith("test/") || file.includes(".test."));
  return where === "text" || isCode;
}

/** The text as each ban wants to see it; what it should not see is blanked, so that lines stay where they are. */
function viewsOf(file, text) {
  if (!codeEndings.some((ending) => file.endsWith(ending))) return { all: text, strings: text, code: text };
  const { program, comments } = parseSource(text);
  const literals = [];
  visit(program, (node) => {
    if (["StringLiteral", "TemplateElement", "RegExpLiteral"].includes(node.type)) literals.push(node);
  });
  const strings = blank(text, comments);
  return {
    all: text,
    strings,
    code: blank(
      strings,
      literals.sort((a, b) => a.start - b.start),
    ),
  };
}

function blank(text, ranges) {
  let blanked = "";
  let end = 0;
  for (const range of ranges) {
    blanked += text.slice(end, range.start) + text.slice(range.start, range.end).replace(/[^\n]/g, " ");
    end = range.end;
  }
  return blanked + text.slice(end);
}

function lineAt(text, match) {
  const first = match.index + match[0].search(/\S/);
  return text.slice(0, first).split("\n").length;
}

function tooLong(file, text) {
  if (!isIn("product", file) || longFiles[file] !== undefined) return [];
  const lines = text.split("\n").length - 1;
  return lines > linesMax
    ? [`${file} has ${lines} lines, more than ${linesMax}: it holds more than one idea`]
    : [];
}

/** Where a package was fetched from differs from place to place and does not belong in a lock. */
function resolvedIn(file, text) {
  if (!file.endsWith("package-lock.json")) return [];
  const packages = Object.entries(JSON.parse(text).packages);
  const isFetched = ([, entry]) => entry.resolved !== undefined && entry.link !== true;
  return packages
    .filter(isFetched)
    .map(([name]) => `${file}: ${name} has "resolved"; the project's .npmrc leaves it out`);
}

/** An exception for a file that is gone would let its successor slip through. */
function staleExceptions(root) {
  const named = [...bans.flatMap((ban) => Object.keys(ban.except ?? {})), ...Object.keys(longFiles)];
  const isStale = (file) => existsSync(join(root, dirname(file))) && !existsSync(join(root, file));
  return root === rootDir
    ? [...new Set(named)].filter(isStale).map((file) => `scripts/bans.mjs: no file ${file}`)
    : [];
}

if (isProgram(import.meta)) {
  const { problems, fileCount } = checkTidy(rootDir);
  report("check-tidy", problems, `${fileCount} files`);
}
