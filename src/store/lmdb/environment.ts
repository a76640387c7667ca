import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { codeOf } from "../../base/index.js";
import { openingError } from "./disk-error.js";
import { StoreAccessError, StoreCorruptError, StoreVersionError } from "./errors.js";

/** One database file, opened by its only owner. */
export interface Environment {
  readonly path: string;
  /** Whether its file still stands at its path: a removed one takes every write, and nobody finds it again. */
  isInPlace(): boolean;
  readonly root: RootDatabase<Buffer, Buffer>;
  /** All records; keys and values are bytes. */
  readonly records: Database<Buffer, Buffer>;
}

/** Layout of keys and values in the file; raised when an older version could not read them. */
const layout = 1;
const headerKey = Buffer.from("poundlock-store");

/**
 * Opens the file, or makes it when there is none. Every commit is on the disk before it returns, and an interrupted one
 * leaves the state before it: LMDB writes new pages beside the old ones and switches over with one small write.
 * @throws StoreCorruptError, StoreVersionError, StoreAccessError
 */
export function openEnvironment(path: string): Environment {
  checkPages(path);
  let root: RootDatabase<Buffer, Buffer>;
  try {
    root = open<Buffer, Buffer>(path, {
      noSubdir: true,
      encoding: "binary",
      keyEncoding: "binary",
      maxDbs: 4,
      // On by default; a commit would then be flushed by another thread after it returned, while the log may be
      // restarted only when the database is on the disk.
      overlappingSync: false,
    });
  } catch (error) {
    throw openingError(error, path);
  }
  try {
    padToLastPage(path, root);
    checkHeader(path, root);
    const records = root.openDB<Buffer, Buffer>({
      name: "records",
      encoding: "binary",
      keyEncoding: "binary",
    });
    const { dev, ino } = statSync(path, { bigint: true });
    const isInPlace = (): boolean => {
      const now = statSync(path, { bigint: true, throwIfNoEntry: false });
      return now?.dev === dev && now.ino === ino;
    };
    return { path, isInPlace, root, records };
  } catch (error) {
    void root.close();
    throw openingError(error, path);
  }
}

const magicOffset = 24;
const pageSizeOffset = 48;
const metaPages = 2;
const magic = 0xbeefc0de;
const knownVersion = 2;

/**
 * Looks at the file before LMDB does, which ends the process on a file that isn't its own. Layout of each of the first
 * two pages: 24 bytes page header · magic u32 · version u32 · address u64 · map size u64 · page size u32.
 */
function checkPages(path: string): void {
  const head = readHead(path);
  if (head === undefined) return;
  const pageSize = head.length >= pageSizeOffset + 4 ? head.readUInt32LE(pageSizeOffset) : 0;
  const isPageSize = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  if (!isPageSize || head.length < metaPages * pageSize)
    throw new StoreCorruptError(path, "it is not a store, or its first pages are damaged");
  for (let page = 0; page < metaPages; page += 1) {
    const at = page * pageSize + magicOffset;
    if (head.readUInt32LE(at) !== magic)
      throw new StoreCorruptError(path, "it is not a store, or its first pages are damaged");
    const version = head.readUInt32LE(at + 4) & 0xffff;
    if (version !== knownVersion)
      throw new StoreVersionError(path, `LMDB ${version}`, `LMDB ${knownVersion}`);
  }
}

/** Undefined when there is no file yet, or an empty one, which LMDB fills as if it were new. */
function readHead(path: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r+");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new StoreAccessError(path, error);
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return undefined;
    const head = Buffer.alloc(Math.min(size, metaPages * 65_536));
    readSync(descriptor, head, 0, head.length, 0);
    return head;
  } catch (error) {
    throw new StoreAccessError(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A file that was cut would end the process at the first touch of a missing page, so the missing pages are added empty:
 * reading one is then an error like any other. They may be missing rightly, when they were free before ever written.
 */
function padToLastPage(path: string, root: RootDatabase<Buffer, Buffer>): void {
  const { pageSize, lastPageNumber } = root.getStats() as { pageSize: number; lastPageNumber: number };
  const length = (lastPageNumber + 1) * pageSize;
  if (statSync(path).size < length) truncateSync(path, length);
}

function checkHeader(path: string, root: RootDatabase<Buffer, Buffer>): void {
  const stored = root.get(headerKey);
  if (stored === undefined) {
    if (root.getKeysCount() > 0) throw new StoreCorruptError(path, "it is a database of another program");
    root.transactionSync(() => {
      writeHeader(root, { layout, sequence: 0, bootId: "", isOpen: false });
    });
    return;
  }
  const { layout: found } = parseHeader(path, stored);
  if (found !== layout) throw new StoreVersionError(path, String(found), String(layout));
}

/** What is known about the file as a whole. */
export interface Header {
  readonly layout: number;
  /** Newest step that the records contain. */
  readonly sequence: number;
  /** The machine's run in which the store was last open. */
  readonly bootId: string;
  /** Whether its owner has yet to close it, or never did. */
  readonly isOpen: boolean;
}

export function readHeader({ path, root }: Environment): Header {
  return parseHeader(path, root.get(headerKey) ?? Buffer.alloc(0));
}

/** To be called inside a transaction. */
export function writeHeader(root: RootDatabase<Buffer, Buffer>, header: Header): void {
  void root.put(headerKey, Buffer.from(JSON.stringify(header)));
}

function parseHeader(path: string, stored: Buffer): Header {
  try {
    const header = JSON.parse(stored.toString()) as Partial<Header>;
    if (typeof header.layout === "number") return header as Header;
  } catch (error) {
    throw new StoreCorruptError(path, "its header is damaged", error);
  }
  throw new StoreCorruptError(path, "its header is damaged");
}
