import { PoundlockError } from "../base/index.js";

/** The command line asks for something that is not there or does not fit together. */
export class UsageError extends PoundlockError {
  readonly code = "CLI_USAGE";
}

/** A file named on the command line is missing or unreadable. */
export class InputError extends PoundlockError {
  readonly code = "CLI_INPUT";
  readonly path: string;

  constructor(path: string, why: string, options?: { readonly hint?: string; readonly cause?: unknown }) {
    super(`Cannot read ${path}: ${why}`, options);
    this.path = path;
  }
}

/** No server answers, and there is no store that could be opened instead. */
export class UnreachableError extends PoundlockError {
  readonly code = "CLI_UNREACHABLE";
  override readonly retryable = true;
}

/** The server answered with an error; keeps its code. */
export class ServerAnswerError extends PoundlockError {
  readonly code: string;

  constructor(code: string, message: string, hint: string | undefined) {
    super(message, hint === undefined ? undefined : { hint });
    this.code = code;
  }
}
