import { PoundlockError } from "../base/index.js";
import type { MetricKey } from "./contract.js";

/** A settlement can't be what its worker meant: a negative number, a range that ends before it starts. Nothing happened. */
export class SettlementInvalidError extends PoundlockError {
  readonly code = "SETTLEMENT_INVALID";

  constructor(state: string, options?: { readonly cause?: unknown }) {
    super(`Cannot settle: ${state}`, options);
  }
}

/** The settlement's posted outcomes and its failures contradict each other. Nothing happened. */
export class SettlementInconsistentError extends PoundlockError {
  readonly code = "SETTLEMENT_INCONSISTENT";
  readonly source: string;

  constructor(source: string, state: string) {
    super(`Cannot settle source ${source}: ${state}`);
    this.source = source;
  }
}

/** The settlement names a metric that was never defined in this store. Nothing happened. */
export class UnknownMetricError extends PoundlockError {
  readonly code = "SETTLEMENT_UNKNOWN_METRIC";
  readonly metric: MetricKey;

  constructor(metric: MetricKey) {
    super(`Cannot settle metric ${metric}: it was not defined in this store`, {
      hint: "Call define() with the metric after opening the store and after a change of generation.",
    });
    this.metric = metric;
  }
}

/** A lane's state was sent under a claim that is not, or no longer, the newest. Nothing happened. */
export class LaneFencedError extends PoundlockError {
  readonly code = "SETTLEMENT_LANE_FENCED";
  readonly lane: string;

  constructor(lane: string, token: number, newest: number | undefined) {
    const held = newest === undefined ? "nobody holds its claim" : `the newest token is ${newest}`;
    super(`Cannot settle lane ${lane} with token ${token}: ${held}`);
    this.lane = lane;
  }
}

/** A metric's key is in use for a definition with other cells. */
export class MetricRedefinedError extends PoundlockError {
  readonly code = "METRIC_REDEFINED";
  readonly metric: MetricKey;

  constructor(metric: MetricKey) {
    super(`Cannot define metric ${metric}: the key already stands for another kind or other groups`, {
      hint: "A key is the hash of a definition; a definition that changes gets another key.",
    });
    this.metric = metric;
  }
}

/** The query names a metric that was never defined in this store. */
export class QueryUnknownMetricError extends PoundlockError {
  readonly code = "QUERY_UNKNOWN_METRIC";
  readonly metric: MetricKey;

  constructor(metric: MetricKey) {
    super(`Cannot read metric ${metric}: it was not defined in this store`);
    this.metric = metric;
  }
}

/** A frame is outside its bounds. Nothing of the call was appended. */
export class FrameInvalidError extends PoundlockError {
  readonly code = "FRAME_INVALID";

  constructor(state: string) {
    super(`Cannot append frame: ${state}`);
  }
}

/** The stream has reached its limit in bytes; it has room again when workers have settled. */
export class StreamFullError extends PoundlockError {
  readonly code = "STREAM_FULL";
  override readonly retryable = true;
  readonly streamBytes: number;
  readonly streamBytesMax: number;

  constructor(streamBytes: number, streamBytesMax: number) {
    super(`Cannot append to stream: it holds ${streamBytes} bytes of at most ${streamBytesMax}`);
    this.streamBytes = streamBytes;
    this.streamBytesMax = streamBytesMax;
  }
}

/** The store was closed before or during the call. */
export class StoreClosedError extends PoundlockError {
  readonly code = "STORE_CLOSED";

  constructor() {
    super("Cannot use store: it is closed");
  }
}

/** What is kept on disk has a layout that this version doesn't know. */
export class StoreFormatError extends PoundlockError {
  readonly code = "STORE_FORMAT_UNKNOWN";

  constructor(format: unknown) {
    super(`Cannot open store: its records have format ${String(format)}, known is 1`);
  }
}

/** The thread or process that holds the store is gone; what it had committed is kept, the call's outcome is unknown. */
export class StoreDiedError extends PoundlockError {
  readonly code = "STORE_DIED";

  constructor(cause?: unknown) {
    super("Cannot reach the store: the thread that holds it has ended", {
      cause,
      hint: "Start again: what was committed is kept, and what was not is read again.",
    });
  }
}
