/** Data that survives a message between threads or a line of JSON. */
export interface PackedError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly stack?: string;
}

/**
 * Base of every error that a caller may handle. Match on `code`, never on the text and never on the class across
 * threads: an error sent to another thread arrives without class, code or fields, so pack and unpack it.
 */
export abstract class PoundlockError extends Error {
  /** Stable for ever, never reused; listed in docs/reference/errors.md. */
  abstract readonly code: string;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean = false;
  /** What the person who reads the message can do about it. */
  readonly hint?: string;

  constructor(message: string, options?: { readonly cause?: unknown; readonly hint?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    if (options?.hint !== undefined) this.hint = options.hint;
  }
}

/** An option or argument has a value outside its range, or of the wrong type. */
export class OptionError extends PoundlockError {
  readonly code = "OPTION_INVALID";
  readonly option: string;

  constructor(option: string, message: string) {
    super(message);
    this.option = option;
  }
}

/** An error that came from another thread or process; keeps the original's name and code. */
export class RemoteError extends PoundlockError {
  readonly code: string;
  override readonly retryable: boolean;

  constructor(packed: PackedError) {
    super(packed.message, packed.hint === undefined ? undefined : { hint: packed.hint });
    this.name = packed.name;
    this.code = packed.code;
    this.retryable = packed.retryable;
    if (packed.stack !== undefined) this.stack = packed.stack;
  }
}

/** The code of any error: ours, Node's (`ENOENT`), or `UNKNOWN`. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "UNKNOWN";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "UNKNOWN";
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  const { message } = (typeof error === "object" && error !== null ? error : {}) as { message?: unknown };
  return typeof message === "string" ? message : String(error);
}

export function packError(error: unknown): PackedError {
  const known = error instanceof PoundlockError ? error : undefined;
  return {
    name: error instanceof Error ? error.name : "Error",
    code: codeOf(error),
    message: messageOf(error),
    retryable: known?.retryable ?? false,
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
  };
}

export function unpackError(packed: PackedError): RemoteError {
  return new RemoteError(packed);
}
