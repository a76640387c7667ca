import type { DetectedFormat } from "./detect-format.js";
import type { FieldStatistics } from "./field-statistics.js";

/** Something taken for granted, or left out, because the lines do not say it; and the option that settles it. */
export interface Unsure {
  readonly says: string;
  readonly settle: string;
}

/** Collects the sentences while the rules are made. */
export class Notes {
  readonly understood: string[] = [];
  readonly unsure: Unsure[] = [];

  format(detected: DetectedFormat, lines: number): void {
    if (lines === 0) {
      this.unsure.push({
        says: `there are no lines yet; ${detected.label} is expected`,
        settle: "--format FORMAT",
      });
    } else if (detected.isFallback) {
      this.unsure.push({
        says: "the lines are no JSON, logfmt or access log, so each is counted as it stands",
        settle: "--format '(?<level>[A-Z]+) (?<message>.*)'",
      });
    } else this.understood.push(detected.label);
  }

  groups(groups: readonly FieldStatistics[]): void {
    if (groups.length === 0) return;
    const names = groups.map((group) => `${group.path} (${group.distinct.size} values)`);
    this.understood.push(`group = ${names.join(", ")}`);
  }
}
