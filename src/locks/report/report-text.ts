import { printable } from "../../base/index.js";
import type { LimitExplanation } from "../limits/limit-explanation.js";
import type { ClassReport, DomainReport, HolderReport, LockReport, WaiterReport } from "./report-data.js";
import { pictureOf, type Waiting, type WaitPicture } from "./wait-picture.js";
import { countOf, frameText, modeText, spanText, wrapped } from "./wording.js";

export interface ReportTextOptions {
  /** Width in columns (60 and up). @default 80 */
  readonly columns?: number;
  /** Paths below it are written without it. @default the working directory */
  readonly folder?: string;
  /** Lines shown of each stack. @default 3 */
  readonly framesMax?: number;
}

interface Page {
  readonly columns: number;
  readonly folder: string;
  readonly framesMax: number;
}

/** For a person: what is stuck, who waits, who holds, what was found, what is counted. Lines without an end of line. */
export function reportText(report: DomainReport, options: ReportTextOptions = {}): string[] {
  const { columns = 80, folder = process.cwd(), framesMax = 3 } = options;
  const page: Page = { columns: Math.max(60, columns), folder, framesMax };
  const picture = pictureOf(report);
  return [
    ...headline(report, page),
    ...stuckLines(picture, page),
    ...section("WAITING, the longest first", picture.others, (waiting) => waitingLines(waiting, page)),
    ...section(
      "HELD",
      report.locks.filter(({ holders, kind }) => holders.length > 0 && kind !== "latch"),
      (lock) => heldLines(lock, page),
    ),
    ...section("FOUND", report.findings, ({ kind, message }) => findingLines(kind, message, page)),
    ...(report.findingsDropped ? [`  and ${report.findingsDropped} more that were not kept`] : []),
    ...section("SUPPRESSIONS THAT NOTHING NEEDED", report.suppressionsUnused, ({ cycle, reason }) =>
      wrapped(`  ${cycle.join(" → ")}: ${reason}`, page.columns, "    "),
    ),
    ...section(
      "LIMITS THAT ADAPT",
      report.classes.filter(({ limits }) => limits !== undefined),
      (one) => limitLines(one, page),
    ),
    ...section(countedTitle(report.classes), classTable(report.classes, page), (line) => [line]),
  ];
}

function headline(report: DomainReport, { columns }: Page): string[] {
  const held = report.locks.filter(({ kind }) => kind !== "latch");
  const holders = held.reduce((sum, lock) => sum + lock.holders.length, 0);
  const waiters = report.locks.reduce((sum, lock) => sum + lock.waiters.length, 0);
  const findings = report.findings.length + (report.findingsDropped ?? 0);
  const at = `${new Date(report.takenAtMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const counts = [countOf(holders, "hold"), countOf(waiters, "waiter"), countOf(findings, "finding")];
  return wrapped(`Locks of ${report.domain}, pid ${report.pid}, ${at}: ${counts.join(", ")}`, columns, "  ");
}

function section<T>(title: string, items: readonly T[], lines: (item: T) => readonly string[]): string[] {
  return items.length === 0 ? [] : ["", title, ...items.flatMap(lines)];
}

function stuckLines({ circles, behind }: WaitPicture, page: Page): string[] {
  return [
    ...circles.flatMap((circle) => [
      "",
      ...wrapped(`STUCK: ${stuckTitle(circle)}`, page.columns, "  "),
      ...circle.flatMap((waiting) => waitingLines(waiting, page)),
    ]),
    ...section("STUCK BEHIND THEM", behind, (waiting) => waitingLines(waiting, page)),
  ];
}

function stuckTitle(circle: readonly Waiting[]): string {
  const who = circle.length === 1 ? "it waits for itself" : `${circle.length} tasks wait for each other`;
  const left = circle.flatMap(({ waiter: { limitMs, ageMs = 0 } }) =>
    limitMs === undefined ? [] : [limitMs - ageMs],
  );
  if (left.length === 0) return `${who}, and none of them ever gives up`;
  return `${who}, until the first gives up in ${spanText(Math.max(0, Math.min(...left)))}`;
}

function waitingLines({ lock, waiter }: Waiting, page: Page): string[] {
  const how = modeText(lock, waiter);
  const parts = [
    `waits for ${lock.name}${how === "" ? "" : ` (${how})`}`,
    ...ageParts(waiter),
    ...(waiter.limitMs === undefined ? [] : [`gives up after ${spanText(waiter.limitMs)}`]),
    ...(waiter.position === 0 ? [] : [`${waiter.position} before it`]),
  ];
  const held = lock.holders.slice(0, 3).map(({ task }) => task);
  const more = lock.holders.length - held.length;
  const by = `${held.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const holders = lock.kind === "latch" ? `${lock.name} is not open yet` : `${lock.name} is held by ${by}`;
  return [
    ...wrapped(`  ${waiter.task} ${parts.join(", ")}`, page.columns, "    "),
    ...frameLines(waiter.frames, "      ", page),
    ...(held.length === 0 ? [] : wrapped(`    ${holders}`, page.columns, "      ")),
  ];
}

function ageParts({ ageMs, isAgeAtLeast }: HolderReport | WaiterReport): string[] {
  if (ageMs === undefined) return [];
  return [`since ${isAgeAtLeast === true ? "at least " : ""}${spanText(ageMs)}`];
}

function heldLines(lock: LockReport, page: Page): string[] {
  const level = lock.level === undefined ? "" : `, level ${lock.levelName ?? lock.level}`;
  return [
    ...wrapped(`  ${lock.name}${level}`, page.columns, "    "),
    ...lock.holders.flatMap((holder) => [
      ...wrapped(`    by ${holderText(lock, holder)}`, page.columns, "      "),
      ...frameLines(holder.frames, "      ", page),
    ]),
  ];
}

function holderText(lock: LockReport, holder: HolderReport): string {
  const how = modeText(lock, holder);
  return [
    `${holder.task}${how === "" ? "" : ` (${how})`}`,
    ...ageParts(holder),
    ...(holder.isOverdue === true ? ["for too long"] : []),
  ].join(", ");
}

function findingLines(kind: string, message: string, page: Page): string[] {
  const [first = "", ...rest] = message
    .replaceAll(`file://${page.folder.replace(/\/$/, "")}/`, "")
    .split("\n");
  return [
    ...wrapped(`  ${kind}: ${first}`, page.columns, "    "),
    ...rest.flatMap((line) => {
      const text = line.trim();
      const indent = " ".repeat(Math.min(12, 2 + line.length - line.trimStart().length));
      if (text.startsWith("at ")) return frameLines([text], indent, page);
      return wrapped(`${indent}${text}`, page.columns, `${indent}  `);
    }),
  ];
}

function limitLines({ name, limits }: ClassReport, { columns }: Page): string[] {
  if (limits === undefined) return [];
  const { exclusive, shared } = limits;
  const line = (how: string, { sentence }: LimitExplanation): string[] =>
    wrapped(`  ${name}${how}: ${sentence}`, columns, "    ");
  return [
    ...line(shared === undefined ? "" : " (to write)", exclusive),
    ...(shared === undefined ? [] : line(" (to read)", shared)),
  ];
}

function frameLines(
  frames: readonly string[],
  indent: string,
  { columns, folder, framesMax }: Page,
): string[] {
  return frames
    .slice(0, framesMax)
    .map((frame) => indent + frameText(frame, columns - indent.length, folder));
}

const headers = ["class", "acquired", "waited", "p50", "p99", "max", "held p99", "gave up", "found"];

/** Times are of those that were timed: the longest may be missing. */
function countedTitle(classes: readonly ClassReport[]): string {
  const every = classes[0]?.metrics.sampledEvery ?? 1;
  return every === 1
    ? "COUNTED (p50, p99 and max: of waits)"
    : `COUNTED (p50, p99 and max: of 1 wait in ${every} or more)`;
}

/** Classes that were used, the most contended first. Times are those of waits, but for `held`. */
function classTable(classes: readonly ClassReport[], { columns }: Page): string[] {
  const used = classes.filter(({ metrics }) => metrics.acquisitions + metrics.contended > 0);
  if (used.length === 0) return [];
  const rows = [...used]
    .sort((a, b) => b.metrics.contended - a.metrics.contended)
    .map(({ name, metrics }) => [
      printable(name),
      String(metrics.acquisitions),
      String(metrics.contended),
      timeText(metrics.wait.p50Ms),
      timeText(metrics.wait.p99Ms),
      timeText(metrics.wait.maxMs),
      timeText(metrics.hold.p99Ms),
      String(metrics.timeouts + metrics.aborts + metrics.deadlocks),
      String(metrics.findings),
    ]);
  const all = [headers, ...rows];
  const widths = headers.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const numbers = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  widths[0] = Math.min(widths[0]!, Math.max(12, columns - 2 - numbers));
  return all.map((row) => `  ${row.map((cell, i) => fit(cell, widths[i]!, i === 0)).join("  ")}`.trimEnd());
}

function fit(text: string, width: number, isLeft: boolean): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return isLeft ? cut.padEnd(width) : cut.padStart(width);
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? "–" : spanText(ms);
}
