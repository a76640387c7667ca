import { codeOf, PoundlockError } from "../base/index.js";

/** What a script can tell from the exit code; listed in docs/reference/cli.md. */
export const exitCodes = {
  ok: 0,
  /** It ran, and the answer is no. */
  no: 1,
  usage: 2,
  /** It can't start: configuration, port, store. */
  cannotStart: 3,
  /** It can't reach a server or a file. */
  unreachable: 4,
  /** It finished in part. */
  inPart: 5,
  /** A bug of ours. */
  bug: 70,
} as const;

const byCode: ReadonlyMap<string, number> = new Map([
  ["CLI_USAGE", exitCodes.usage],
  ["CLI_INPUT", exitCodes.unreachable],
  ["CLI_UNREACHABLE", exitCodes.unreachable],
  // Formats, paths and expressions come from options here; from a configuration they are CONFIG_INVALID.
  ["EVENTS_FORMAT", exitCodes.usage],
  ["EVENTS_FIELD_PATH", exitCodes.usage],
  ["EVENTS_EXPRESSION", exitCodes.usage],
  ["TAIL_PATTERN_INVALID", exitCodes.usage],
  ["METRIC_UNKNOWN", exitCodes.usage],
  ["QUERY_INVALID", exitCodes.usage],
  ["HTTP_NOT_FOUND", exitCodes.no],
]);

/** The exit code for an error; an error that is none of ours is a bug. */
export function exitCodeOf(error: unknown): number {
  const known = byCode.get(codeOf(error));
  if (known !== undefined) return known;
  return error instanceof PoundlockError ? exitCodes.cannotStart : exitCodes.bug;
}
