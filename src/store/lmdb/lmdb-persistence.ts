import { type Clock, messageOf, type NoticeSink } from "../../base/index.js";
import type { Persistence } from "../persistence.js";
import type { WriteSet } from "../tables.js";
import { isDiskFull } from "./disk-error.js";
import { type Environment, type Header, writeHeader } from "./environment.js";
import { StoreFailedError, StoreFullError } from "./errors.js";
import type { Durability } from "./options.js";
import { rawWrite } from "./record-bytes.js";
import type { RawWrite, RedoLog } from "./redo-log.js";

export interface LmdbPersistenceOptions {
  readonly environment: Environment;
  readonly log: RedoLog;
  readonly header: Header;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly notices: NoticeSink;
  /** Called before each record of a step is logged; what it throws makes the step not happen. For tests. */
  readonly onWrite?: (index: number) => void;
  /** Bytes of log after which a checkpoint comes before its time. @default 4 MiB */
  readonly checkpointBytes?: number;
  /** Called before each put of a checkpoint, inside its transaction; what it throws rolls all of it back. For tests. */
  readonly onPut?: (index: number) => void;
}

/** The stated loss of a power failure under `interval`. */
const checkpointMsMax = 1_000;
/** 4 MiB: a checkpoint of that many small records holds the store's thread for some 50 ms. */
const checkpointBytesDefault = 4 * 1024 * 1024;
/** While checkpoints fail the log goes on growing up to this, then steps are refused. */
const logBytesMax = 64 * 1024 * 1024;

/**
 * Keeps each step in the redo log at once, and in the database at the next checkpoint: within a second or 4 MiB, in one
 * transaction together with the sequence of its newest step. A cell that a hundred steps have changed is put once.
 *
 *     write ─► log (page cache) ─► memory ─► … checkpoint: one transaction, on the disk ─► log from its start
 */
export class LmdbPersistence implements Persistence {
  readonly #options: LmdbPersistenceOptions;
  readonly #log: RedoLog;
  readonly #checkpointBytes: number;
  /** What the log has and the database has not; newest write of each key, by the key's bytes as Latin-1. */
  #pending = new Map<string, RawWrite>();
  #sequence: number;
  /** Newest step that the database has; differs from `#sequence` also after steps without writes. */
  #savedSequence: number;
  #flush: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #failed: StoreFailedError | undefined;

  constructor(options: LmdbPersistenceOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#checkpointBytes = options.checkpointBytes ?? checkpointBytesDefault;
    this.#sequence = options.header.sequence;
    this.#savedSequence = options.header.sequence;
  }

  /** @throws StoreFullError, StoreFailedError */
  write(writes: WriteSet): void {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#log.length >= logBytesMax && !this.checkpoint()) throw this.#full("its log has no room left");
    const raw = writes.map((write, index) => {
      this.#options.onWrite?.(index);
      return rawWrite(write);
    });
    try {
      this.#log.append({ sequence: this.#sequence + 1, writes: raw });
    } catch (error) {
      throw this.#judge(error);
    }
    this.adopt(this.#sequence + 1, raw);
    if (this.#log.length >= this.#checkpointBytes) this.checkpoint();
    else this.#cancelTimer ??= this.#options.clock.after(checkpointMsMax, () => this.checkpoint());
  }

  /** Takes a step that the log already has. */
  adopt(sequence: number, writes: readonly RawWrite[]): void {
    for (const write of writes) this.#pending.set(write.key.toString("latin1"), write);
    this.#sequence = sequence;
  }

  /** Bytes of steps that only the log has. */
  get logBytes(): number {
    return this.#log.length;
  }

  flushed(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#options.durability === "interval" || this.#pending.size === 0) return Promise.resolve();
    // A flush that runs may have begun before the newest step; everyone who asks meanwhile shares the one after it.
    if (this.#flush === undefined) return (this.#flush = this.#startFlush());
    return (this.#nextFlush ??= this.#flush
      .catch(() => {})
      .then(() => {
        this.#nextFlush = undefined;
        return (this.#flush = this.#startFlush());
      }));
  }

  /** Moves everything into the database; false when that failed and is to be tried again. */
  checkpoint(): boolean {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#failed !== undefined || this.#isGone()) return false;
    if (this.#sequence === this.#savedSequence) return true;
    let isCommitting = false;
    try {
      this.#transact({ isOpen: true }, () => {
        isCommitting = true;
      });
    } catch (error) {
      this.#refuse(error, isCommitting);
      return false;
    }
    this.#pending = new Map();
    this.#savedSequence = this.#sequence;
    this.#log.restart();
    return true;
  }

  /** Leaves the database complete and the log empty; after a failure leaves them as they are, for the next opening. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#flush?.catch(() => {});
    try {
      if (this.#failed === undefined && !this.#isGone()) {
        this.#transact({ isOpen: false }, () => {});
        this.#log.clear();
      }
    } catch (error) {
      this.#notify(
        "store.close-incomplete",
        `Closed before the log was in the database: ${messageOf(error)}`,
      );
    } finally {
      this.#log.close();
      await this.#options.environment.root.close();
    }
  }

  /** What is written from then on would be gone with the process, so the store takes no more and says so. */
  #isGone(): boolean {
    const { environment } = this.#options;
    if (environment.isInPlace()) return false;
    this.#failed = new StoreFailedError(
      environment.path,
      "its file was removed or replaced while it was open",
    );
    this.#notify("store.gone", this.#failed.message);
    return true;
  }

  #transact(state: { readonly isOpen: boolean }, onWhole: () => void): void {
    const { root, records } = this.#options.environment;
    root.transactionSync(() => {
      let index = 0;
      for (const { key, value } of this.#pending.values()) {
        this.#options.onPut?.(index++);
        if (value === undefined) void records.remove(key);
        else void records.put(key, value);
      }
      writeHeader(root, { ...this.#options.header, ...state, sequence: this.#sequence });
      onWhole();
    });
  }

  #startFlush(): Promise<void> {
    const flush = this.#log.flush().catch((error: unknown) => {
      this.#failed ??= new StoreFailedError(this.#options.environment.path, error);
      throw this.#failed;
    });
    const finished = (): void => {
      if (this.#flush === flush) this.#flush = undefined;
    };
    flush.then(finished, finished);
    return flush;
  }

  /**
   * Before the commit nothing has left memory. In the commit only a full disk is harmless: after a failed flush nobody
   * knows what is on the disk, and a second one that succeeds proves nothing.
   */
  #refuse(error: unknown, isCommitting: boolean): void {
    const judged = this.#judge(error, !isCommitting);
    this.#notify("store.checkpoint-failed", messageOf(judged));
    if (judged instanceof StoreFailedError) return;
    this.#cancelTimer = this.#options.clock.after(checkpointMsMax, () => this.checkpoint());
  }

  #judge(error: unknown, isHarmless = false): unknown {
    if (isDiskFull(error, this.#options.environment.path)) return this.#full(error);
    if (isHarmless) return error;
    this.#failed = new StoreFailedError(this.#options.environment.path, error);
    return this.#failed;
  }

  #full(cause: unknown): StoreFullError {
    return new StoreFullError(this.#options.environment.path, cause);
  }

  #notify(name: string, message: string): void {
    this.#options.notices({ name, level: "error", message });
  }
}
