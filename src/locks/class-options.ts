import { OptionError } from "../base/index.js";
import type { LockClassState } from "./lock-class.js";

export const detections = ["off", "levels", "order", "full"] as const;
export const onFindings = ["throw", "warn", "collect"] as const;

/** @throws OptionError: a mistyped word would switch checks off in silence */
export function wordOption<Word extends string>(
  name: string,
  value: Word | undefined,
  words: readonly Word[],
  byDefault: Word,
): Word {
  if (value === undefined) return byDefault;
  if (words.includes(value)) return value;
  throw new OptionError(name, `Cannot use ${name} = "${value}": expected ${words.join(", ")}`);
}

export function positiveMs(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (value > 0) return value;
  throw new OptionError(name, `Cannot use ${name} = ${value}: expected a number of milliseconds above 0`);
}

/** A number, or the place of a name among the tiers. */
export function levelOption(
  level: number | string | undefined,
  tiers: readonly string[] | undefined,
): number | undefined {
  if (typeof level !== "string") {
    if (level === undefined || Number.isFinite(level)) return level;
    throw new OptionError("level", `Cannot use level = ${level}: expected a finite number or a tier`);
  }
  const at = tiers?.indexOf(level) ?? -1;
  if (at !== -1) return at;
  const known = tiers?.join(", ") ?? "none";
  throw new OptionError("level", `Cannot use level "${level}": the domain's tiers are ${known}`);
}

/** What a lock may say about its class; the first one of the class decides. */
interface ClassClaims {
  readonly level: number | undefined;
  readonly waitMs: number | undefined;
  readonly holdWarnMs: number | undefined;
  readonly isReentrant: boolean | undefined;
  readonly detection: string | undefined;
  readonly onFinding: string | undefined;
}

/** @throws OptionError when a further lock of the class says something else, which would be ignored */
export function assertSameClass({ name, level, settings }: LockClassState, claims: ClassClaims): void {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["level", claims.level, level],
    ["waitMs", claims.waitMs, settings.waitMs],
    ["holdWarnMs", claims.holdWarnMs, settings.holdWarnMs],
    ["reentrant", claims.isReentrant, settings.isReentrant],
    ["detection", claims.detection, settings.detection],
    ["onFinding", claims.onFinding, settings.onFinding],
  ];
  for (const [option, claimed, known] of pairs)
    if (claimed !== undefined && claimed !== known)
      throw new OptionError(
        option,
        `Cannot make another lock "${name}" with ${option} = ${String(claimed)}: the first of that name has ${String(known ?? "none")}, and all share it`,
      );
}
