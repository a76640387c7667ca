import { AdaptiveLimit } from "./adaptive-limit.js";
import { ClassMetrics } from "./class-metrics.js";
import type { Detection, LockClass, OnFinding } from "./kinds.js";

export interface ClassSettings {
  readonly detection: Detection;
  readonly onFinding: OnFinding;
  /** Limit of a wait, or what it adapts between. */
  readonly waitMs: number;
  readonly adaptive: { readonly floorMs: number; readonly ceilingMs: number } | undefined;
  readonly holdWarnMs: number;
  readonly isReentrant: boolean;
}

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
        : { exclusive: new AdaptiveLimit(adaptive), shared: new AdaptiveLimit(adaptive) };
    this.checksLevels = settings.detection !== "off";
    this.checksOrder = settings.detection === "order" || settings.detection === "full";
    this.checksWaits = settings.detection === "full";
  }
}
