import { PoundlockError } from "../base/index.js";

/** A rule names a source or metric that does not exist or does not fit. */
export class UnknownReferenceError extends PoundlockError {
  readonly code = "RULE_REFERENCE";
  readonly what: "source" | "metric";
  readonly reference: string;

  constructor(what: "source" | "metric", reference: string, why: string) {
    super(`Cannot compile rules: ${what} "${reference}" ${why}`);
    this.what = what;
    this.reference = reference;
  }
}

/** A query names a metric that the rules do not have. */
export class MetricUnknownError extends PoundlockError {
  readonly code = "METRIC_UNKNOWN";
  readonly metric: string;
  readonly known: readonly string[];

  constructor(metric: string, known: readonly string[]) {
    super(`Cannot query metric "${metric}": no rule has that name`, {
      hint: known.length === 0 ? "no metrics are declared" : `metrics: ${known.join(", ")}`,
    });
    this.metric = metric;
    this.known = known;
  }
}

/** A thread could not read a file's bytes where the plan said they are. */
export class RangeReadError extends PoundlockError {
  readonly code = "RANGE_READ";
  override readonly retryable = true;

  constructor(path: string, start: number, end: number, read: number) {
    super(
      `Cannot read ${path} from ${start} to ${end}: got ${read} bytes; the file was cut while it was read`,
    );
  }
}

/** The store was wiped or rolled back under a running worker. */
export class StoreGenerationError extends PoundlockError {
  readonly code = "STORE_GENERATION";
  readonly generation: string;

  constructor(generation: string) {
    super(`Cannot settle: the store is now generation ${generation}`, {
      hint: "start again; files are read anew",
    });
    this.generation = generation;
  }
}
