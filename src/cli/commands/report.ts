import type { Command } from "commander";
import type { Understanding } from "../../config/index.js";
import type { Report } from "../../engine/index.js";
import type { MetricRule, Rules } from "../../pipeline/index.js";
import type { Context } from "../context.js";
import { exitCodes } from "../exit-codes.js";
import type { Inputs } from "../inputs.js";
import {
  addCommon,
  addProgress,
  addReading,
  type CommonOptions,
  type ProgressOptions,
  type ReadOptions,
} from "../options.js";

type ReportOptions = CommonOptions & ProgressOptions & ReadOptions;

export function addReport(program: Command, context: Context): void {
  const command = program
    .command("report")
    .summary("read files to the end, print exact totals, exit")
    .description(
      "Reads files to the end and prints exact totals. Keeps nothing on disk. Without\n" +
        "--by, --value and --where it says what it understood of the first lines.",
    )
    .argument("<file...>", "files, folders or globs; - for standard input");
  addCommon(addProgress(addReading(command)))
    .addHelpText(
      "after",
      `
Examples:
  poundlock report app.jsonl
  poundlock report orders.jsonl --by status --by order.coin --json
  poundlock report access.log --format combined --by status --value bytes=bytes
  poundlock report app.log --format '(?<level>[A-Z]+) (?<rest>.*)' --by level
  zcat old.jsonl.gz | poundlock report - --value duration_ms=ms --by route`,
    )
    .action((files: string[], options: ReportOptions) => report(files, options, context));
}

async function report(files: readonly string[], options: ReportOptions, context: Context): Promise<void> {
  const { openInputs } = await import("../inputs.js");
  using inputs = await openInputs(files, process.stdin, context);
  await reportFiles(inputs, options, context);
}

async function reportFiles(inputs: Inputs, options: ReportOptions, context: Context): Promise<void> {
  const { terminal, clock } = context;
  const { paths } = inputs;
  const plan = await planReport(paths, options, context);
  const { runReport } = await import("../../engine/index.js");
  const { ProgressLine } = await import("../progress.js");
  const { sayNotices } = await import("../notice-text.js");
  const { reportJson, reportLines } = await import("../report-output.js");
  const say = sayNotices(terminal);
  const progress = new ProgressLine(terminal, clock, options.progress ?? "auto");
  const result = await runReport({
    files: paths,
    rules: plan.rules,
    notices: (notice) => {
      // A file that a folder or glob named and that could not be read: the numbers are those of the others.
      if (notice.name === "tail.unreadable") context.exitCode(exitCodes.inPart);
      say(notice);
    },
    onProgress: (now) => progress.show(now),
  }).finally(() => progress.end());
  const { metrics } = plan.rules;
  if (options.json) await terminal.print(reportJson(result, metrics));
  else await terminal.print(reportLines(result, metrics, terminal).join("\n"));
  if (result.ledger.dead > 0) await sayDead(result, inputs, context);
  const { accepted, dead } = result.ledger;
  const isUnread = accepted > 0 && dead === accepted;
  if (
    plan.hint !== undefined &&
    isUnread &&
    result.deadLetters.items.every(({ reason }) => reason === "parse")
  )
    terminal.say(plan.hint);
}

interface ReportPlan {
  readonly rules: Rules;
  /** Said when no line at all could be read. */
  readonly hint?: string;
}

async function planReport(
  paths: readonly string[],
  options: ReportOptions,
  context: Context,
): Promise<ReportPlan> {
  const { metricsFromOptions, saysWhat, sourceFromOptions } = await import("../rules-from-options.js");
  const time = { kind: "none" } as const;
  if (!saysWhat(options)) {
    const found = await look(paths, options, context);
    const source = sourceFromOptions("files", found.format, time, undefined);
    return { rules: rulesOf(source, found.metrics) };
  }
  const { parseFormat } = await import("../../events/index.js");
  const format = parseFormat(options.format ?? "json");
  const rules = rulesOf(sourceFromOptions("files", format, time, options.where), metricsFromOptions(options));
  const { refuseEndlessPatterns } = await import("../endless-patterns.js");
  await refuseEndlessPatterns(paths, format, options.where);
  if (options.format !== undefined) return { rules };
  return {
    rules,
    hint: "No line could be read as JSON. Other formats need --format: combined, logfmt or a pattern.",
  };
}

/** A report is read once and must be exact, so it keeps the most groups that a store can. */
const groupsMax = 1_000_000;

function rulesOf(source: Rules["sources"][number], metrics: readonly MetricRule[]): Rules {
  return { sources: [source], metrics: metrics.map((metric) => ({ ...metric, groupsMax })), hasSlots: false };
}

async function look(
  paths: readonly string[],
  options: ReportOptions,
  context: Context,
): Promise<Understanding> {
  const { understandFiles } = await import("../look.js");
  const { understandingLines } = await import("../understanding-text.js");
  const { label, found: seen } = await understandFiles(paths, options);
  // Totals have no use for a time, so a report has nothing to be unsure of there.
  const found = { ...seen, unsure: seen.unsure.filter(({ settle }) => !settle.startsWith("--time")) };
  for (const line of understandingLines(label, found, context.terminal)) context.terminal.say(line);
  context.terminal.say("");
  return found;
}

async function sayDead(
  { deadLetters, ledger }: Pick<Report, "deadLetters" | "ledger">,
  inputs: Inputs,
  { terminal }: Context,
): Promise<void> {
  const { deadSummary } = await import("../dead-letter-text.js");
  const items = deadLetters.items.map(({ at, ...letter }) => ({
    ...letter,
    at: at.kind === "file" ? { ...at, path: inputs.nameOf(at.path) } : at,
  }));
  for (const line of deadSummary({ ...deadLetters, items }, ledger.dead, terminal)) terminal.say(line);
}
