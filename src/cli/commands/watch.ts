import { type Command, Option } from "commander";
import type { Context } from "../context.js";
import { exitCodes } from "../exit-codes.js";
import { addCommon, addProgress, addReading, type CommonOptions, type ProgressOptions } from "../options.js";
import { addServing, type ServingOptions } from "../serving-options.js";
import type { WatchChoices } from "../watch-config.js";

type WatchOptions = CommonOptions & ProgressOptions & ServingOptions & WatchChoices;

export function addWatch(program: Command, context: Context): void {
  const command = program
    .command("watch", { isDefault: true })
    .summary("follow files, with a live dashboard")
    .description(
      "Reads files from the start, then follows them; numbers are on the dashboard, on\n/metrics and in /api/v1. The word watch may be left out.",
    )
    .argument("[file...]", "files, folders or globs");
  addServing(addReading(command))
    .option("--time <field>", "the field that holds the time; or arrival, or none")
    .addOption(
      new Option("--from <where>", "where to start reading").choices(["start", "end"]).default("start"),
    )
    .option("--store <folder>", "keep the numbers there; without it they are in memory");
  addCommon(addProgress(command))
    .addHelpText(
      "after",
      `
Examples:
  poundlock app.jsonl
  poundlock 'logs/*.jsonl' --by route --value duration_ms=ms
  poundlock access.log --port 8080 --from end`,
    )
    .action((files: string[], options: WatchOptions) => watch(files, options, context, program));
}

async function watch(
  files: readonly string[],
  options: WatchOptions,
  context: Context,
  program: Command,
): Promise<void> {
  const { terminal, folder } = context;
  if (files.length === 0) {
    program.outputHelp({ error: !process.stdin.isTTY });
    context.exitCode(process.stdin.isTTY ? exitCodes.ok : exitCodes.usage);
    return;
  }
  await refuse(files, program);
  const { planWatch } = await import("../watch-config.js");
  const { understandingLines } = await import("../understanding-text.js");
  const { config, looks } = await planWatch(files, options, folder);
  terminal.say("");
  for (const { label, found } of looks) {
    for (const line of understandingLines(label, found, terminal)) terminal.say(line);
  }
  const { serve } = await import("../serve.js");
  await serve({ config, options, facts: [["Following", files.join(" ")]] }, context);
}

/** A mistyped command looks like a file that is not there. */
async function refuse(files: readonly string[], program: Command): Promise<void> {
  const { UsageError, InputError } = await import("../errors.js");
  const { checkInputs, isPipe } = await import("../inputs.js");
  const { nearestName } = await import("../../config/index.js");
  const pipes = await Promise.all(files.map(async (file) => file === "-" || (await isPipe(file))));
  const pipe = files[pipes.indexOf(true)];
  if (pipe !== undefined) {
    throw new UsageError(
      `Cannot watch ${pipe === "-" ? "standard input" : pipe}: a pipe's numbers could not be right again after a restart`,
      {
        hint: `write it to a file and watch that, or read it once: poundlock report ${pipe}`,
      },
    );
  }
  const [first = ""] = files;
  try {
    await checkInputs(files);
  } catch (error) {
    const isWord = error instanceof InputError && error.path === first && /^[a-z]+$/.test(first);
    const near = isWord
      ? nearestName(
          first,
          program.commands.map((command) => command.name()),
        )
      : undefined;
    if (near === undefined) throw error;
    throw new UsageError(`Cannot run ${first}: there is neither a command nor a file of this name`, {
      hint: `poundlock ${near}`,
    });
  }
}
