import type { Command } from "commander";
import type { Context } from "../context.js";
import { addCommon, type CommonOptions } from "../options.js";
import { addReaderOptions, type ReaderOptions } from "../reader-options.js";

export function addLedger(program: Command, context: Context): void {
  const command = program
    .command("ledger")
    .summary("show where every event is")
    .description(
      "Shows where every accepted event is: settled, waiting, retrying, dead, dropped by\na rule, a duplicate, or lost for a stated reason. Exits with 1 when it does not\nbalance.",
    );
  addCommon(addReaderOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  poundlock ledger
  poundlock ledger --json`,
    )
    .action((options: CommonOptions & ReaderOptions) => ledger(options, context));
}

async function ledger(options: CommonOptions & ReaderOptions, context: Context): Promise<void> {
  const { openReader } = await import("../open-reader.js");
  const { ledgerLines } = await import("../ledger-text.js");
  const { sumLedger } = await import("../../store/index.js");
  await using reader = await openReader(options, context);
  const sources = await reader.ledger();
  const total = sumLedger(sources);
  if (total.unaccounted !== 0) context.exitCode(1);
  const { terminal } = context;
  if (options.json) return terminal.print(JSON.stringify({ schema: "poundlock.ledger/1", total, sources }));
  await terminal.print(ledgerLines(sources, terminal).join("\n"));
}
