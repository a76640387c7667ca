import { PoundlockError } from "../base/index.js";

/** A metric was registered again with another kind, unit, labels or other options. The first registration stands. */
export class MetricConflictError extends PoundlockError {
  readonly code = "METRICS_CONFLICT";
  readonly metric: string;

  constructor(metric: string, what: string, before: string, now: string) {
    super(
      `Cannot register metric ${metric}: its ${what} is ${before} since it was first registered, not ${now}`,
      {
        hint: "use one name for one metric; register it in one place and import it from there",
      },
    );
    this.metric = metric;
  }
}

/** A metric was used by a name that nobody registered, in a registry that wants metrics registered. */
export class MetricUnknownError extends PoundlockError {
  readonly code = "METRICS_UNKNOWN";
  readonly metric: string;

  constructor(metric: string) {
    super(`Cannot use metric ${metric}: it is not registered`, {
      hint: "register it first, or open the registry with `registration: 'lazy'`",
    });
    this.metric = metric;
  }
}

/** A metric was used by its name as if it were of another kind. Nothing was recorded. */
export class MetricKindError extends PoundlockError {
  readonly code = "METRICS_KIND";
  readonly metric: string;

  constructor(metric: string, use: string) {
    super(`Cannot use metric ${metric}: it is of a kind that can't be ${use}`);
    this.metric = metric;
  }
}

/** Labels were given that the metric does not have, or some of its labels were not given. Nothing was recorded. */
export class MetricLabelsError extends PoundlockError {
  readonly code = "METRICS_LABELS";
  readonly metric: string;

  constructor(metric: string, message: string) {
    super(`Cannot use metric ${metric}: ${message}`);
    this.metric = metric;
  }
}

/** A value can't be recorded: not a number, infinite, or negative where only more can be added. Nothing was recorded. */
export class MetricValueError extends PoundlockError {
  readonly code = "METRICS_VALUE";
  readonly metric: string;

  constructor(metric: string, value: unknown, expected: string) {
    super(`Cannot record ${String(value)} in metric ${metric}: expected ${expected}`);
    this.metric = metric;
  }
}

/** More threads want to record than the registry has places for. */
export class MetricThreadsError extends PoundlockError {
  readonly code = "METRICS_THREADS";
  readonly threadsMax: number;

  constructor(threadsMax: number) {
    super(`Cannot record from this thread: all ${threadsMax} places for threads are in use`, {
      hint: "open the registry with a larger `threadsMax` where it is opened first",
    });
    this.threadsMax = threadsMax;
  }
}

/** The registry's memory has no room for another metric. */
export class MetricMemoryError extends PoundlockError {
  readonly code = "METRICS_MEMORY";
  readonly bytesTotal: number;

  constructor(metric: string, bytesTotal: number) {
    super(`Cannot register metric ${metric}: the registry's memory of ${bytesTotal} bytes is used up`, {
      hint: "open the registry with a larger `reserveBytes`; memory that is not used costs nothing",
    });
    this.bytesTotal = bytesTotal;
  }
}

/** The system has no address space for the registry. */
export class MetricReserveError extends PoundlockError {
  readonly code = "METRICS_RESERVE";
  readonly reserveBytes: number;

  constructor(reserveBytes: number, cause: unknown) {
    super(`Cannot reserve ${reserveBytes} bytes for a registry: the system refuses them`, {
      cause,
      hint: "open the registry with a smaller `reserveBytes`, or raise the limit of the process's address space (ulimit -v)",
    });
    this.reserveBytes = reserveBytes;
  }
}

/** A buffer or environment entry is no registry of this layout. */
export class MetricLayoutError extends PoundlockError {
  readonly code = "METRICS_LAYOUT";

  constructor(what: string) {
    super(`Cannot attach to registry: ${what}`, {
      hint: "use one version of poundlock in all threads of a process",
    });
  }
}
