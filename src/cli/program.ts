import { Command, CommanderError } from "commander";
import { addDemo } from "./commands/demo.js";
import { addDlq } from "./commands/dlq.js";
import { addLedger } from "./commands/ledger.js";
import { addLocks } from "./commands/locks.js";
import { addQuery } from "./commands/query.js";
import { addReport } from "./commands/report.js";
import { addUp } from "./commands/up.js";
import { addValidate } from "./commands/validate.js";
import { addWatch } from "./commands/watch.js";
import type { Context } from "./context.js";
import { exitCodes } from "./exit-codes.js";

/** Help is written for this width and looks the same everywhere. */
const helpWidth = 80;

const examples = `
Examples:
  poundlock demo                     made-up orders and the dashboard
  poundlock app.jsonl                follow a file; its numbers on a web page
  poundlock report app.jsonl --json  read it to the end, print totals, exit

Exit codes: 0 done, 1 the answer is no, 2 usage, 3 cannot start, 4 cannot reach,
5 in part, 70 a bug. A command's own help: poundlock COMMAND --help`;

/** The whole command tree. Each command loads what it needs when it runs, so that help stays quick. */
export function buildProgram(context: Context, version: string): Command {
  const program = new Command("poundlock");
  program
    .usage("[FILE...] | COMMAND")
    .description(
      "Live metrics from event streams that are right: nothing lost, nothing\ncounted twice, nothing stuck.",
    )
    .version(version, "-V, --version", "the version")
    .helpOption("-h, --help", "this help")
    .helpCommand("help [command]", "help for a command")
    .showHelpAfterError("(poundlock --help shows what there is)")
    .addHelpText("after", examples)
    .configureOutput({
      writeOut: (text) => context.terminal.printPart(text),
      writeErr: (text) => context.terminal.paint(text),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .enablePositionalOptions();
  for (const add of [addWatch, addReport, addUp, addDemo, addValidate, addQuery, addLedger, addDlq, addLocks])
    add(program, context);
  inherit(program);
  return program;
}

/** What commander does not hand down to commands that are built on their own. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command).helpOption("-h, --help", "this help");
    inherit(child);
  }
}

/** The exit code of what commander throws; undefined when it is none of commander's. */
export function commanderExit(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}
