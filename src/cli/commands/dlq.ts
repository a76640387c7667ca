import { type Command, Option } from "commander";
import type { Context } from "../context.js";
import { addCommon, type CommonOptions, integer } from "../options.js";
import type { DeadLetterList } from "../reader.js";
import { addReaderOptions, type ReaderOptions } from "../reader-options.js";

type ListOptions = CommonOptions & ReaderOptions & DeadLetterList;
type ShowOptions = CommonOptions & ReaderOptions & { readonly raw?: boolean };

const reasons = [
  "parse",
  "shape",
  "time",
  "value",
  "expression",
  "oversize",
  "handler",
  "thread-died",
  "thread-hung",
];

export function addDlq(program: Command, context: Context): void {
  const dlq = program
    .command("dlq")
    .summary("look at the dead letters")
    .description("Looks at the dead letters: events that could not be processed, with their bytes.");
  addList(dlq, context);
  addShow(dlq, context);
}

function addList(dlq: Command, context: Context): void {
  const command = dlq
    .command("list")
    .alias("ls")
    .summary("reasons, and the newest dead letters")
    .description("Shows the reasons with their counts, then the newest dead letters.")
    .option("-n, --limit <n>", "how many letters", integer(1, 1_000))
    .option("--before <id>", "only letters older than this one", integer(1, Number.MAX_SAFE_INTEGER))
    .option("--source <name>", "only letters of this source")
    .addOption(new Option("--reason <reason>", "only letters with this reason").choices(reasons));
  addCommon(addReaderOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  poundlock dlq list
  poundlock dlq list --reason parse -n 100 --json`,
    )
    .action((options: ListOptions) => list(options, context));
}

function addShow(dlq: Command, context: Context): void {
  const command = dlq
    .command("show")
    .summary("one dead letter with its bytes")
    .description("Shows one dead letter: where it came from, what is wrong, and its bytes.")
    .argument("<id>", "number of the letter, from dlq list", integer(1, Number.MAX_SAFE_INTEGER))
    .option("--raw", "only the text as it came");
  addCommon(addReaderOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  poundlock dlq show 7
  poundlock dlq show 7 --raw >> fixed.jsonl`,
    )
    .action((id: number, options: ShowOptions) => show(id, options, context));
}

async function list(options: ListOptions, context: Context): Promise<void> {
  const { openReader } = await import("../open-reader.js");
  const { deadListLines } = await import("../dead-letter-text.js");
  const { terminal } = context;
  await using reader = await openReader(options, context);
  const { limit, before, source, reason } = options;
  const page = await reader.deadLetters({
    ...(limit === undefined ? {} : { limit }),
    ...(before === undefined ? {} : { before }),
    ...(source === undefined ? {} : { source }),
    ...(reason === undefined ? {} : { reason }),
  });
  if (options.json) return terminal.print(JSON.stringify({ schema: "poundlock.dlq.list/1", ...page }));
  await terminal.print(deadListLines(page, terminal).join("\n"));
}

async function show(id: number, options: ShowOptions, context: Context): Promise<void> {
  const { openReader } = await import("../open-reader.js");
  const { deadShowLines } = await import("../dead-letter-text.js");
  const { terminal } = context;
  await using reader = await openReader(options, context);
  const letter = await reader.deadLetter(id);
  if (letter === undefined) {
    context.exitCode(1);
    const message = `Cannot show dead letter ${id}: there is none with this number`;
    return terminal.say(
      options.json
        ? JSON.stringify({ schema: "poundlock.error/1", code: "HTTP_NOT_FOUND", message })
        : message,
    );
  }
  if (options.raw) return terminal.print(letter.text);
  if (options.json) return terminal.print(JSON.stringify({ schema: "poundlock.dlq.show/1", ...letter }));
  await terminal.print(deadShowLines(letter, terminal).join("\n"));
}
