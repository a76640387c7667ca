/**
 * What went wrong with a request; each that went wrong has one class.
 *
 * - `timeout`: the connection's time was over, an error says so, or the answer was 408 or 504
 * - `aborted`: the client went away before it had the whole answer
 * - `exception`: something was thrown, or the service broke its answer off
 * - `5xx`: such an answer, without anything thrown that was seen
 * - `validation`: 400, 422, and what a framework's validation refused
 * - `4xx`: the other answers of that kind but 429, which is counted as rate limited
 */
export type ErrorClass = "timeout" | "aborted" | "exception" | "5xx" | "validation" | "4xx";

/** The classes that are the service's own fault: those that `errors_total` counts. */
export const ownFaults: ReadonlySet<string> = new Set<ErrorClass>(["timeout", "exception", "5xx"]);

/** How a request ended. */
export interface Outcome {
  /** Undefined when no answer was begun. */
  readonly status: number | undefined;
  readonly end: "complete" | "client left" | "broken off";
  /** What was thrown, where something was. */
  readonly error?: unknown;
  readonly isTimedOut?: boolean;
}

export interface Fault {
  readonly class: ErrorClass;
  /** Code or name of the error, else the status, else a word in parentheses: OpenTelemetry's `error.type`. */
  readonly type: string;
}

/** Undefined when nothing went wrong. */
export function faultOf(outcome: Outcome): Fault | undefined {
  const { status = 0, end, error } = outcome;
  if (isTimeout(outcome))
    return { class: "timeout", type: errorType(error) ?? statusType(status, "(timeout)") };
  if (end === "client left") return { class: "aborted", type: "(aborted)" };
  if (end === "broken off") return { class: "exception", type: errorType(error) ?? "(incomplete)" };
  if (status === 429) return undefined;
  const type = errorType(error) ?? String(status);
  if (status >= 500) return { class: error === undefined ? "5xx" : "exception", type };
  if (status === 400 || status === 422 || isValidation(error)) return { class: "validation", type };
  if (status >= 400) return { class: "4xx", type };
  // An error behind an answer that says all is well.
  return error === undefined ? undefined : { class: "exception", type };
}

function isTimeout({ status = 0, end, error, isTimedOut }: Outcome): boolean {
  if (isTimedOut === true) return end !== "complete";
  if (end === "client left") return false;
  if (end === "complete" && (status === 408 || status === 504)) return true;
  return (end === "broken off" || status >= 500) && isTimeoutError(error);
}

/** `TimeoutError` of AbortSignal.timeout, `ETIMEDOUT`, `UND_ERR_HEADERS_TIMEOUT`, `FST_ERR_HANDLER_TIMEOUT`, … */
function isTimeoutError(error: unknown): boolean {
  return /timeout|timedout/i.test(errorType(error) ?? "");
}

function isValidation(error: unknown): boolean {
  return wordsOf(error).isValidation;
}

function statusType(status: number, otherwise: string): string {
  return status === 408 || status === 504 ? String(status) : otherwise;
}

/** The error's code, or its name; nothing that could be long or hold what belongs to a user. */
function errorType(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (typeof error !== "object" || error === null) return "(no error)";
  const { code, name } = wordsOf(error);
  if (isWord(code)) return code;
  return isWord(name) ? name : "Error";
}

/** Anything may be thrown, also what throws when it is looked at: then nothing is known of it, and its request is counted all the same. */
function wordsOf(error: unknown): { code?: unknown; name?: unknown; isValidation: boolean } {
  if (typeof error !== "object" || error === null) return { isValidation: false };
  try {
    const { code, name, validation } = error as Record<"code" | "name" | "validation", unknown>;
    return { code, name, isValidation: validation !== undefined };
  } catch {
    return { isValidation: false };
  }
}

function isWord(text: unknown): text is string {
  return typeof text === "string" && /^[A-Za-z_][\w.-]{0,79}$/.test(text);
}
