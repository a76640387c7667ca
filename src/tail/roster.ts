import type { BigIntStats } from "node:fs";
import { basename, dirname } from "node:path";
import type { Notice } from "../base/index.js";
import type { Watermark } from "../store/index.js";
import type { FileRange } from "./contract.js";
import { continuing, findCopy, isCopyOf, watermarkOfMoved } from "./copies.js";
import { Discoverer, type Discovery, describe, type FoundFile } from "./discovery.js";
import { FollowedFile } from "./file.js";
import { type FileKey, KnownFiles } from "./identity.js";
import { keyOf, type Opened, openedAnew, openFile } from "./opening.js";
import type { TailSettings } from "./options.js";
import { Problems } from "./problems.js";
import { groupMissing, isYounger, planRecovery } from "./recovery.js";
import { familyOf, findSiblings, isRotationOf } from "./siblings.js";
import type { Turns } from "./turns.js";

/**
 * How long a file that lost its name must be quiet before it counts as finished, in milliseconds. Writers are told to
 * reopen some time after the rotation, and go on with the old file until then.
 */
export const DRAIN_QUIET_MS = 30_000;

/** Which files there are, what each is (new, known, renamed, replaced), and when one is finished. */
export class Roster {
  readonly #settings: TailSettings;
  readonly #turns: Turns<FollowedFile>;
  readonly #discoverer: Discoverer;
  readonly #known: KnownFiles;
  readonly #files = new Map<FileKey, FollowedFile>();
  /** Contents that are no longer there, with ranges still in flight. */
  readonly #gone = new Set<FollowedFile>();
  /** Who has a name, or had it last. */
  readonly #holders = new Map<string, FollowedFile>();
  /** Files that rotation may have made of one another. */
  #families = new Map<string, FollowedFile[]>();
  /** By the names that watch events use. */
  #byPath = new Map<string, FollowedFile>();
  readonly #problems: Problems;
  readonly #replacing = new Set<FollowedFile>();
  /** Copies that were spoken of. */
  readonly #copies = new Set<FileKey>();
  #directories: ReadonlySet<string> = new Set();
  /** Watermarks that no file had when those known by device and inode were opened. */
  #orphans: readonly Watermark[] | undefined;
  #opened = 0;
  #isFirstLook = true;
  #closedBytes = 0;

  /** @throws PatternError */
  constructor(settings: TailSettings, turns: Turns<FollowedFile>) {
    this.#settings = settings;
    this.#turns = turns;
    this.#problems = new Problems(settings);
    this.#discoverer = new Discoverer(settings.patterns);
    this.#known = new KnownFiles(settings.watermarks);
  }

  /** Every content that is open, or waits for its ranges. */
  *all(): IterableIterator<FollowedFile> {
    yield* this.#files.values();
    yield* this.#gone;
  }

  /** What was named and can't be followed, with the reason. */
  get problems(): ReadonlyMap<string, string> {
    return this.#problems.all;
  }

  /** Bytes of the files that were finished and let go. */
  get closedBytes(): number {
    return this.#closedBytes;
  }

  byPath(path: string): FollowedFile | undefined {
    return this.#byPath.get(path);
  }

  /** Where something of interest may happen. */
  directories(): ReadonlySet<string> {
    const all = new Set(this.#directories);
    for (const file of this.#files.values()) all.add(dirname(file.realPath));
    return all;
  }

  /** One sweep over the patterns and the open files. */
  async look(): Promise<void> {
    const discovery = await this.#discoverer.find();
    this.#directories = discovery.directories;
    const places = new Map(discovery.files.map((found) => [found.key, found]));
    for (const file of [...this.#files.values()]) {
      const place = places.get(file.key);
      if (place === undefined) await this.#lookAtDisplaced(file);
      else this.#keep(file, place);
    }
    if (this.#isFirstLook) await this.#recover(discovery, places);
    const from = this.#isFirstLook ? this.#settings.from : "start";
    for (const found of this.#inReadingOrder(discovery.files))
      if (!this.#files.has(found.key)) await this.#adopt(found, from);
    this.#problems.report(discovery);
    this.#indexPaths();
    this.#isFirstLook = false;
  }

  /** The content under an open descriptor became another: the old one ends, the new one begins at 0. */
  async replace(file: FollowedFile): Promise<void> {
    const { path, state } = file;
    this.#replacing.add(file);
    this.#notice("info", "tail.truncated", `${path} was truncated or written anew`, { path });
    const stats = await file.handle.stat().catch(() => undefined);
    this.#leave(file);
    file.successor = await this.#adoptCopy(file);
    this.#replacing.delete(file);
    if (file.successor === undefined)
      this.#noticeLost(path, file.id, file.unreadBytes, "it was truncated before it was read");
    if (this.#settings.isOneShot) {
      file.problem = "truncated while it was read";
      return;
    }
    if (stats !== undefined) {
      this.#admit(path, openedAnew(file, stats), file.successor).state = state;
      this.#indexPaths();
    }
    await this.release(file);
  }

  /** Lets go of a content that is no longer there, once its last range was settled. */
  async release(file: FollowedFile): Promise<void> {
    // Its last range may be settled or given back while the content that took its place still needs the descriptor.
    if (!file.isIdle || this.#replacing.has(file) || !this.#gone.delete(file)) return;
    this.#closedBytes += file.settledBytes;
    await file.handle.release();
  }

  /** Ranges of a content that is no longer there came back unread, and nothing goes on where it was left. */
  noteVoid(file: FollowedFile, ranges: readonly FileRange[]): void {
    // Then they are among what is unread when it is known whether there is a copy.
    if (this.#replacing.has(file)) return;
    const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    this.#noticeLost(file.path, file.id, bytes, "it was truncated before it was read");
  }

  /** Closes every descriptor that no range needs; the others follow as their ranges are settled. */
  async close(): Promise<void> {
    await Promise.all([...this.all()].map((file) => file.handle.release()));
  }

  #keep(file: FollowedFile, place: FoundFile): void {
    if (file.path !== place.path) {
      this.#notice("info", "tail.renamed", `${file.path} is now ${place.path}`, { path: place.path });
      file.path = place.path;
    }
    file.state = "following";
    file.isFinal = this.#settings.isOneShot;
    this.#holders.set(file.path, file);
    this.#noteStats(file, place.stats);
  }

  #noteStats(file: FollowedFile, stats: BigIntStats): void {
    const { clock } = this.#settings;
    const hasChanged = file.note(stats, clock.now(), clock.monotonicMs());
    // After a read error nothing may have changed but the disk's mood.
    if (hasChanged || file.problem !== undefined) this.#turns.add(file);
  }

  /** No pattern names it any more: renamed, replaced or deleted. Its descriptor still reads it. */
  async #lookAtDisplaced(file: FollowedFile): Promise<void> {
    const stats = await file.handle.stat().catch((error: unknown) => describe(error));
    if (typeof stats === "string") {
      // A remote file that is gone has no descriptor to be read to the end.
      file.problem = stats;
      this.#noticeLost(file.path, file.id, file.unreadBytes, stats);
      this.#leave(file);
      return this.release(file);
    }
    const isDeleted = stats.nlink === 0n;
    if (file.state === "following") await this.#displace(file, stats);
    this.#noteStats(file, stats);
    const quietMs = this.#settings.clock.monotonicMs() - file.changedAtMs;
    if (quietMs < DRAIN_QUIET_MS || this.#turns.has(file)) return;
    if (!file.isPlanned && !file.isFinal) {
      file.isFinal = true;
      this.#turns.add(file);
    } else if (file.isPlanned && file.isIdle) {
      await this.#finish(file, isDeleted);
    }
  }

  async #displace(file: FollowedFile, stats: BigIntStats): Promise<void> {
    const formerPath = file.path;
    file.state = "draining";
    file.changedAtMs = this.#settings.clock.monotonicMs();
    const siblings = await findSiblings(formerPath);
    const now = siblings.find((sibling) => sibling.key === file.key);
    if (now !== undefined) file.path = now.path;
    if (stats.nlink === 0n)
      this.#notice("info", "tail.deleted", `${formerPath} was deleted`, { path: formerPath });
    else
      this.#notice("info", "tail.rotated", `${formerPath} was moved away`, {
        path: formerPath,
        movedTo: now?.path,
      });
    // Others may have had the name for a while between two looks, and were never seen under it.
    for (const sibling of siblings)
      if (!this.#files.has(sibling.key) && !this.#known.has(sibling.key))
        if (isRotationOf(basename(formerPath), basename(sibling.path)) && isYounger(sibling.stats, stats))
          await this.#adoptDraining(sibling, formerPath);
  }

  async #finish(file: FollowedFile, isDeleted: boolean): Promise<void> {
    // A dead inode comes back as another file; a living one may be met again under another name.
    if (isDeleted) this.#known.forget(file.key);
    else this.#known.remember(file.watermark(this.#settings.clock.now()));
    this.#leave(file);
    await this.release(file);
  }

  #leave(file: FollowedFile): void {
    file.state = "gone";
    this.#turns.delete(file);
    this.#files.delete(file.key);
    this.#gone.add(file);
    if (this.#holders.get(file.path) === file) this.#holders.delete(file.path);
  }

  /** Files that were read before, and that no pattern names now: rotated or deleted while nobody looked. */
  async #recover(discovery: Discovery, places: ReadonlyMap<FileKey, FoundFile>): Promise<void> {
    if (this.#settings.isOneShot) return;
    const names = new Set([...discovery.files.map((found) => found.path), ...discovery.problems.keys()]);
    for (const group of groupMissing(this.#known, places, names)) {
      const isTaken = (sibling: FoundFile): boolean =>
        places.has(sibling.key) || this.#files.has(sibling.key);
      const siblings = await findSiblings(group.path);
      const { adopt, lost } = planRecovery(group, siblings, isTaken, this.#known);
      for (const { identity, file, offset } of lost)
        this.#noticeLost(identity.path, file, identity.size - offset, "it was deleted or moved meanwhile");
      for (const sibling of adopt) await this.#adoptDraining(sibling, group.path);
    }
  }

  async #adoptDraining(found: FoundFile, formerPath: string): Promise<void> {
    const file = await this.#adopt(found, "start", formerPath);
    if (file === undefined) return;
    file.state = "draining";
    this.#notice("info", "tail.rotated", `${formerPath} was moved away`, {
      path: formerPath,
      movedTo: found.path,
    });
  }

  /** At the start the older ones first, so that those that come later can stand behind them. */
  #inReadingOrder(files: readonly FoundFile[]): readonly FoundFile[] {
    if (!this.#isFirstLook || this.#settings.isOneShot) return files;
    return [...files].sort((a, b) => Number(this.#known.has(b.key)) - Number(this.#known.has(a.key)));
  }

  async #adopt(
    found: FoundFile,
    from: "start" | "end",
    formerPath: string = found.path,
  ): Promise<FollowedFile | undefined> {
    const before = this.#known.pathOf(found.key);
    try {
      const opened = await openFile({ path: found.path, known: this.#known, from });
      if ("refused" in opened) {
        this.#problems.add(found.path, opened.refused);
        return undefined;
      }
      const known = await this.#knowCopy(found.path, opened);
      if (known === undefined) {
        await opened.handle.release();
        return undefined;
      }
      return await this.#admitOnce(found.path, formerPath, before, known);
    } catch (error) {
      // Gone between the listing and the opening is no problem: the next look sees what is there.
      if (describe(error) !== "no such file") this.#problems.add(found.path, describe(error));
      return undefined;
    }
  }

  /**
   * A rotation by copying leaves a file that looks new and is not. While the original still has its content, the copy
   * waits (undefined); when the original has other content, the copy is read on from where the original was left.
   */
  async #knowCopy(path: string, opened: Opened): Promise<Opened | undefined> {
    if (opened.offset > 0 || this.#settings.isOneShot) return opened;
    for (const file of this.#families.get(familyOf(path)) ?? []) {
      if (file.state === "gone" || !file.beginsLike(opened.first)) continue;
      if (!(await isCopyOf(opened, file))) continue;
      if (!this.#copies.has(keyOf(opened))) {
        this.#copies.add(keyOf(opened));
        this.#notice("info", "tail.copied", `${path} is a copy of ${file.path} and is not read again`, {
          path,
        });
      }
      return undefined;
    }
    if (!this.#isFirstLook || opened.replaced !== undefined) return opened;
    this.#orphans ??= this.#withoutFile();
    const watermark = watermarkOfMoved(path, opened, this.#orphans);
    this.#orphans = this.#orphans.filter((other) => other !== watermark);
    return watermark === undefined ? opened : continuing(opened, watermark.file, watermark.offset);
  }

  #withoutFile(): readonly Watermark[] {
    const openIds = new Set([...this.all()].map((file) => file.id));
    return this.#settings.watermarks.filter((watermark) => !openIds.has(watermark.file));
  }

  async #adoptCopy(file: FollowedFile): Promise<FollowedFile | undefined> {
    if (this.#settings.isOneShot || file.plannedBytes === 0) return undefined;
    const copy = await findCopy(file, this.#known, (key) => this.#files.has(key));
    if (copy === undefined) return;
    const followed = this.#admit(copy.path, continuing(copy.opened, file.id, file.plannedBytes));
    followed.state = "draining";
    return followed;
  }

  async #admitOnce(
    path: string,
    formerPath: string,
    before: string | undefined,
    opened: Opened,
  ): Promise<FollowedFile | undefined> {
    // Between the listing and the opening the name may have come to another file, which is followed already.
    if (this.#files.has(keyOf(opened))) {
      await opened.handle.release();
      return undefined;
    }
    if (opened.replaced !== undefined) {
      const { file, offset, identity } = opened.replaced;
      this.#notice("info", "tail.truncated", `${path} has other content than before`, { path });
      this.#noticeLost(path, file, identity.size - offset, "its content was replaced meanwhile");
    }
    this.#known.forget(keyOf(opened));
    const file = this.#admit(path, opened, this.#holders.get(formerPath));
    this.#holders.set(before ?? formerPath, file);
    this.#holders.set(formerPath, file);
    return file;
  }

  #admit(path: string, opened: Opened, predecessor?: FollowedFile): FollowedFile {
    const { clock, source, isOneShot } = this.#settings;
    const key = keyOf(opened);
    const file = new FollowedFile({
      source,
      key,
      path,
      ...opened,
      endBytes: isOneShot ? Number(opened.stats.size) : undefined,
      predecessor: predecessor?.state === "gone" ? undefined : predecessor,
      order: this.#opened,
      nowMs: clock.now(),
      elapsedMs: clock.monotonicMs(),
    });
    this.#opened += 1;
    this.#files.set(key, file);
    this.#addToFamily(file);
    this.#holders.set(path, file);
    this.#turns.add(file);
    this.#notice("debug", "tail.found", `${path} is followed from ${opened.offset}`, {
      path,
      file: file.id,
      offset: opened.offset,
    });
    return file;
  }

  #addToFamily(file: FollowedFile): void {
    const members = this.#families.get(file.family);
    if (members === undefined) this.#families.set(file.family, [file]);
    else members.push(file);
  }

  #indexPaths(): void {
    this.#byPath = new Map();
    this.#families = new Map();
    for (const file of this.#files.values()) {
      this.#addToFamily(file);
      this.#byPath.set(file.path, file);
      if (file.state === "following") this.#byPath.set(file.realPath, file);
      // A chain of predecessors would keep every rotated file in memory for ever.
      if (file.predecessor?.state === "gone") file.predecessor = undefined;
    }
    for (const [path, file] of this.#holders) if (file.state === "gone") this.#holders.delete(path);
  }

  #noticeLost(path: string, file: string, bytes: number, why: string): void {
    if (bytes <= 0) return;
    this.#notice("warn", "tail.lost", `${bytes} bytes of ${path} were never read: ${why}`, {
      path,
      file,
      lostBytes: bytes,
    });
  }

  #notice(level: Notice["level"], name: string, message: string, data: Notice["data"]): void {
    this.#settings.notices({ level, name, message, data: { source: this.#settings.source, ...data } });
  }
}
