import { type Clock, codeOf, messageOf, type NoticeSink, pause } from "../base/index.js";
import type { ChangeItem } from "../store/index.js";
import { deadLettersToWire } from "./dead-letter-json.js";
import type { LiveClient } from "./live-client.js";
import { LiveView } from "./live-view.js";
import type { ServerSource } from "./source.js";
import { closeCodes, type WireTrouble } from "./wire.js";

/** Never more than 10 frames a second: faster than this nobody reads. */
const frameMsMin = 100;
/** After a refresh of t ms the next starts 4 t ms after this one's start: views never take more than a quarter of main's time. */
const restFactor = 4;
const tickMs = 1000;
/** After the source failed. */
const retryMs = 1000;
/** Windows that pages look at, at a time: each is asked for on its own. */
const viewsMax = 16;
/** Views nobody looks at are kept this long, for a page that reconnects or polls. */
const idleViewMs = 15_000;
/** A store that does not answer must not keep the server from closing. */
const closeMsMax = 1000;
const deadLettersShown = 20;
const deadLetterBytesShown = 2048;

type SharedPart = "status" | "metrics" | "ledger" | "sources" | "dead";
const sharedParts: readonly SharedPart[] = ["status", "metrics", "ledger", "sources", "dead"];

/**
 * Keeps what pages look at up to date. Folds the source's changes: marks what they touch, asks for it again at most ten times
 * a second (the first change at once), and sends the parts that are different, serialised once for all pages of a window.
 * Does nothing while nobody looks.
 */
export class LiveHub {
  readonly #source: ServerSource;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #views = new Map<number | undefined, { readonly view: LiveView; lookedAtMs: number }>();
  readonly #shared = new Map<string, string>();
  readonly #dirty = new Set<SharedPart>(sharedParts);
  readonly #stop = new AbortController();
  #generation = "";
  #version = 0;
  #isTroubleNews = false;
  #refreshing: Promise<void> | undefined;
  #nextRefreshMs = 0;
  #cancelScheduled: (() => void) | undefined;
  #cancelTick: () => void = () => {};
  readonly #following: Promise<void>;

  constructor(options: {
    readonly source: ServerSource;
    readonly clock: Clock;
    readonly notices: NoticeSink;
  }) {
    this.#source = options.source;
    this.#clock = options.clock;
    this.#notices = options.notices;
    this.#shared.set("trouble", "null");
    this.#following = this.#follow();
    this.#scheduleTick();
  }

  /** Frames from now on go to the client, a snapshot first. False when too many windows are looked at. */
  async join(client: LiveClient, windowMs: number | undefined): Promise<boolean> {
    const view = this.#view(windowMs);
    if (view === undefined) return false;
    await this.#fill(view);
    if (this.#stop.signal.aborted) return false;
    // While it was filled it may have been given up as looked at by nobody.
    this.#views.set(windowMs, { view, lookedAtMs: this.#clock.monotonicMs() });
    client.wantSnapshot();
    view.clients.add(client);
    this.#deliver(view, undefined);
    return true;
  }

  leave(client: LiveClient): void {
    for (const { view } of this.#views.values()) view.clients.delete(client);
  }

  /** One snapshot as JSON, for pages that poll and for the first HTML. */
  async snapshot(windowMs: number | undefined): Promise<Buffer | undefined> {
    const view = this.#view(windowMs);
    if (view === undefined) return undefined;
    await this.#fill(view);
    return this.#frame("snapshot", view, this.#allParts(view));
  }

  get clientCount(): number {
    let count = 0;
    for (const { view } of this.#views.values()) count += view.clients.size;
    return count;
  }

  /** Says goodbye to every client and stops asking. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelScheduled?.();
    for (const { view } of this.#views.values())
      for (const client of view.clients) client.close(closeCodes.stopping, "the server is stopping");
    this.#views.clear();
    this.#cancelTick();
    const waited = new AbortController();
    const limit = pause(this.#clock, closeMsMax, waited.signal).catch(() => {});
    await Promise.race([Promise.all([this.#following, this.#refreshing]), limit]);
    waited.abort();
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#ask("status");
        for await (const item of this.#source.changes(this.#version, this.#stop.signal)) this.#mark(item);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#trouble("server.changes-failed", error);
      }
      // Also after an orderly end: whoever ended it may need a moment, and nothing says what was missed.
      await pause(this.#clock, retryMs, this.#stop.signal).catch(() => {});
      this.#markAll();
    }
  }

  #mark(item: ChangeItem): void {
    const isNewGeneration = this.#moveTo(item.generation, item.version);
    if ("kind" in item) {
      this.#startOver();
    } else if (!isNewGeneration) {
      const names = this.#namesOf(item.metrics.map(({ metric }) => metric));
      for (const { view } of this.#views.values()) view.markDirty(names);
      if (item.metrics.length > 0 || item.sources.length > 0)
        for (const part of ["status", "ledger", "sources"] as const) this.#dirty.add(part);
      if (item.deadLetters > 0) this.#dirty.add("dead");
    }
    this.#schedule();
  }

  /** True when the store was wiped or rolled back; then everything starts over. */
  #moveTo(generation: string, version: number): boolean {
    const isNew = this.#generation !== "" && generation !== this.#generation;
    this.#version = isNew || this.#generation === "" ? version : Math.max(this.#version, version);
    this.#generation = generation;
    if (isNew) this.#startOver();
    return isNew;
  }

  /** Changes would not fit to what pages have: all is asked for again and goes out as snapshots. */
  #startOver(): void {
    this.#markAll();
    for (const { view } of this.#views.values()) for (const client of view.clients) client.wantSnapshot();
  }

  #markAll(): void {
    for (const part of sharedParts) this.#dirty.add(part);
    const names = this.#source.metrics().map(({ name }) => name);
    for (const { view } of this.#views.values()) view.markDirty(names);
  }

  #namesOf(keys: readonly string[]): string[] {
    const changed = new Set(keys);
    return this.#source
      .metrics()
      .filter((metric) => metric.keys.some((key) => changed.has(key)))
      .map(({ name }) => name);
  }

  #view(windowMs: number | undefined): LiveView | undefined {
    const lookedAtMs = this.#clock.monotonicMs();
    const known = this.#views.get(windowMs);
    if (known !== undefined) {
      known.lookedAtMs = lookedAtMs;
      return known.view;
    }
    if (this.#views.size >= viewsMax) return undefined;
    const view = new LiveView(windowMs);
    view.markDirty(this.#source.metrics().map(({ name }) => name));
    this.#views.set(windowMs, { view, lookedAtMs });
    return view;
  }

  /** Waits until the view has every part, at most one frame old. */
  async #fill(view: LiveView): Promise<void> {
    await this.#refreshing;
    const isStale = this.#dirty.size > 0 || view.hasWork(this.#clock.monotonicMs());
    // While someone looks, the next refresh is on its way: a page that joins gets what it brings like the others.
    const isKeptFresh = this.clientCount > 0 && view.isFilled;
    if (isStale && !isKeptFresh) await this.#refresh();
  }

  #scheduleTick(): void {
    const tick = (): void => {
      if (this.#stop.signal.aborted) return;
      const nowMs = this.#clock.monotonicMs();
      for (const [windowMs, { view, lookedAtMs }] of this.#views) {
        if (view.clients.size === 0 && nowMs - lookedAtMs > idleViewMs) this.#views.delete(windowMs);
        view.markDecayed(nowMs);
      }
      // Lag and rates move without any settlement.
      this.#dirty.add("status").add("sources");
      this.#schedule();
      this.#cancelTick = this.#clock.after(tickMs, tick);
    };
    this.#cancelTick = this.#clock.after(tickMs, tick);
  }

  #schedule(): void {
    if (this.#refreshing !== undefined || this.#cancelScheduled !== undefined || this.#stop.signal.aborted)
      return;
    if (this.clientCount === 0) return;
    const waitMs = Math.max(0, this.#nextRefreshMs - this.#clock.monotonicMs());
    this.#cancelScheduled = this.#clock.after(waitMs, () => {
      this.#cancelScheduled = undefined;
      void this.#refresh();
    });
  }

  /** One at a time; resolves when everything that was marked before the call has been asked for and sent. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#refreshing !== undefined) return this.#refreshing.then(() => this.#refresh());
    this.#cancelScheduled?.();
    this.#cancelScheduled = undefined;
    const startMs = this.#clock.monotonicMs();
    this.#refreshing = this.#askAndSend(startMs).then((isComplete) => {
      const tookMs = this.#clock.monotonicMs() - startMs;
      const restMs = isComplete ? Math.max(frameMsMin, tookMs * restFactor) : retryMs;
      this.#nextRefreshMs = startMs + restMs;
      this.#refreshing = undefined;
      if (this.#hasWork()) this.#schedule();
    });
    return this.#refreshing;
  }

  #hasWork(): boolean {
    const nowMs = this.#clock.monotonicMs();
    return (
      this.#dirty.size > 0 ||
      [...this.#views.values()].some(({ view }) => view.clients.size > 0 && view.hasWork(nowMs))
    );
  }

  async #askAndSend(nowMs: number): Promise<boolean> {
    let isComplete = true;
    const shared: string[] = [];
    const attempt = async (run: () => Promise<string[]>): Promise<string[]> => {
      try {
        return await run();
      } catch (error) {
        isComplete = false;
        if (!this.#stop.signal.aborted) this.#trouble("server.refresh-failed", error);
        return [];
      }
    };
    shared.push(...(await attempt(() => this.#refreshShared())));
    const views = [...this.#views.values()].map(({ view }) => view);
    const changes = await Promise.all(views.map((view) => attempt(() => view.refresh(this.#source, nowMs))));
    if (isComplete && this.#shared.get("trouble") !== "null") this.#setTrouble(null);
    if (this.#isTroubleNews) shared.push("trouble");
    this.#isTroubleNews = false;
    views.forEach((view, index) => {
      this.#deliver(view, [...shared, ...changes[index]!]);
    });
    return isComplete;
  }

  async #refreshShared(): Promise<string[]> {
    const parts = [...this.#dirty];
    this.#dirty.clear();
    try {
      const values = await Promise.all(parts.map((part) => this.#ask(part)));
      return parts.filter((part, index) => {
        const json = JSON.stringify(values[index]);
        if (this.#shared.get(part) === json) return false;
        this.#shared.set(part, json);
        return true;
      });
    } catch (error) {
      for (const part of parts) this.#dirty.add(part);
      throw error;
    }
  }

  async #ask(part: SharedPart): Promise<unknown> {
    switch (part) {
      case "status": {
        const status = await this.#source.status();
        this.#moveTo(status.generation, status.storeVersion);
        return status;
      }
      case "metrics":
        return this.#source.metrics();
      case "ledger":
        return this.#source.ledger();
      case "sources":
        return this.#source.sources();
      case "dead":
        return deadLettersToWire(
          await this.#source.deadLetters({ limit: deadLettersShown }),
          deadLetterBytesShown,
        );
    }
  }

  #trouble(name: string, error: unknown): void {
    this.#setTrouble({ code: codeOf(error), message: messageOf(error) });
    this.#notices({ name, level: "warn", message: messageOf(error), data: { code: codeOf(error) } });
  }

  #setTrouble(trouble: WireTrouble | null): void {
    this.#shared.set("trouble", JSON.stringify(trouble));
    this.#isTroubleNews = true;
  }

  /** Sends the changes, and a snapshot to each client that needs one; the frames are made once for all. */
  #deliver(view: LiveView, changed: readonly string[] | undefined): void {
    if (view.clients.size === 0) {
      // Nobody to number frames for, but a page that polls still sees that it is newer.
      if (changed !== undefined) view.seq += 1;
      return;
    }
    let snapshot: Buffer | undefined;
    let changes: Buffer | undefined;
    if (changed !== undefined) {
      view.seq += 1;
      changes = this.#frame("changes", view, changed);
    }
    for (const client of view.clients) {
      if (client.needsSnapshot) {
        snapshot ??= this.#frame("snapshot", view, this.#allParts(view));
        client.sendSnapshot(snapshot);
      } else if (changes !== undefined) {
        client.sendChanges(changes);
      }
    }
  }

  #allParts(view: LiveView): string[] {
    return [...this.#shared.keys(), ...view.parts.keys()];
  }

  #frame(type: "snapshot" | "changes", view: LiveView, parts: readonly string[]): Buffer {
    const head = {
      type,
      seq: view.seq,
      generation: this.#generation,
      version: this.#version,
      nowMs: this.#clock.now(),
      windowMs: view.windowMs ?? null,
    };
    const body = parts.map(
      (part) => `${JSON.stringify(part)}:${this.#shared.get(part) ?? view.parts.get(part) ?? "null"}`,
    );
    return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"parts":{${body.join(",")}}}`);
  }
}
