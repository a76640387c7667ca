/** What keeps a regular expression from compiling. */
export interface RegexFault {
  readonly what: string;
  /** From 1. */
  readonly column: number;
}

/** Undefined when it compiles. */
export function findRegexFault(source: string, compile: (source: string) => unknown): RegexFault | undefined {
  const what = faultOf(source, compile);
  if (what === undefined) return undefined;
  const open = findUnclosed(source, what);
  if (open !== undefined) return { what, column: open + 1 };
  // The engine names no place. Cut from the end for as long as the same thing is wrong: the shortest such beginning
  // ends where it went wrong.
  let length = source.length;
  while (length > 1 && faultOf(source.slice(0, length - 1), compile) === what) length -= 1;
  return { what, column: Math.max(length, 1) };
}

function faultOf(source: string, compile: (source: string) => unknown): string | undefined {
  try {
    compile(source);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // "Invalid regular expression: /source/flags: what"; the source may hold colons, what does not.
    return message.slice(message.lastIndexOf(": ") + 2);
  }
}

/** Where the group or class that is never closed begins. */
function findUnclosed(source: string, what: string): number | undefined {
  if (!what.startsWith("Unterminated")) return undefined;
  const groups: number[] = [];
  let classStart: number | undefined;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (char === "\\") i += 1;
    else if (classStart !== undefined) {
      if (char === "]") classStart = undefined;
    } else if (char === "[") classStart = i;
    else if (char === "(") groups.push(i);
    else if (char === ")") groups.pop();
  }
  return classStart ?? groups.at(-1);
}
