import { ClassMetrics } from "./class-metrics.js";
import type { Detection, LockClass, Mode, OnFinding } from "./kinds.js";
import { AdaptiveLimit, type AdaptiveLimitOptions } from "./limits/adaptive-limit.js";

export interface ClassSettings {
  readonly detection: Detection;
  readonly onFinding: OnFinding;
  /** Limit of a wait, or what it adapts between. */
  readonly waitMs: number;
  readonly adaptive: AdaptiveLimitOptions | undefined;
  readonly holdWarnMs: number;
  readonly isReentrant: boolean;
}

/** How late a usual limit may end: an eighth of its length, and never more than this. */
const lateMsMax = 1_000;
const looksPerLimit = 8;

/** All locks of one name, with what is known and counted about them together. */
export class LockClassState implements LockClass {
  readonly id: number;
  readonly name: string;
  readonly kind: LockClass["kind"];
  readonly permits: number;
  readonly isReaderPreferring: boolean;
  readonly level: number | undefined;
  readonly levelName: string | undefined;
  /** Its locks are latches: held by nobody in particular, until they are opened. */
  readonly isLatch: boolean;
  readonly compare: LockClass["compare"];
  readonly settings: ClassSettings;
  readonly metrics: ClassMetrics = new ClassMetrics();
  readonly limits: { readonly exclusive: AdaptiveLimit; readonly shared: AdaptiveLimit } | undefined;
  /** How often the limits of its waiters are looked at, in milliseconds. */
  readonly lookEveryMs: number;
  /** As plain fields, since every acquisition asks. */
  readonly checksLevels: boolean;
  readonly checksOrder: boolean;
  readonly checksWaits: boolean;

  constructor(
    id: number,
    about: Omit<LockClass, "id"> & { readonly levelName: string | undefined; readonly isLatch: boolean },
    settings: ClassSettings,
  ) {
    this.id = id;
    this.name = about.name;
    this.kind = about.kind;
    this.permits = about.permits;
    this.isReaderPreferring = about.isReaderPreferring;
    this.level = about.level;
    this.levelName = about.levelName;
    this.isLatch = about.isLatch;
    this.compare = about.compare;
    this.settings = settings;
    const { adaptive } = settings;
    this.limits =
      adaptive === undefined
        ? undefined
        : { exclusive: limitFrom(adaptive, settings.waitMs), shared: limitFrom(adaptive, settings.waitMs) };
    this.lookEveryMs = Math.min(lateMsMax, (adaptive?.floorMs ?? settings.waitMs) / looksPerLimit);
    this.checksLevels = settings.detection !== "off";
    this.checksOrder = settings.detection === "order" || settings.detection === "full";
    this.checksWaits = settings.detection === "full";
  }

  /** The limit of somebody who joins behind so many. */
  adaptedMs(limit: AdaptiveLimit, waitersAhead: number): number {
    // Of several permits as many are given back in the time of one hold.
    const queueAhead = Math.floor(waitersAhead / this.permits);
    return limit.limitFor({ queueAhead, residualHoldMs: limit.meanHoldMs });
  }

  recordHold(mode: Mode, heldMs: number): void {
    this.metrics.recordHold(heldMs);
    // Readers hold at the same time, so what they hold does not add up to a wait.
    if (this.limits === undefined || mode === "shared") return;
    this.limits.exclusive.observeHold(heldMs);
    this.limits.shared.observeHold(heldMs);
  }
}

/** Until enough is known, the usual limit as far as the bounds allow. */
function limitFrom(adaptive: AdaptiveLimitOptions, waitMs: number): AdaptiveLimit {
  const { floorMs, ceilingMs } = adaptive;
  return new AdaptiveLimit({ initialMs: Math.min(ceilingMs, Math.max(floorMs, waitMs)), ...adaptive });
}
