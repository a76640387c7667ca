import { type Command, Option } from "commander";
import type { DomainReport, LocksDocument } from "../../locks/index.js";
import type { Context } from "../context.js";
import { addCommon, type CommonOptions, integer } from "../options.js";

type LocksOptions = CommonOptions & {
  readonly server?: string;
  readonly pid?: number;
  readonly folder?: string;
  readonly dot?: boolean;
  readonly mermaid?: boolean;
};

export function addLocks(program: Command, context: Context): void {
  const command = program
    .command("locks")
    .summary("show who holds and who waits for locks")
    .description(
      "Shows the locks of the running server, or of any process that reports them\n(reportOnSignal of poundlock/locks): what is stuck, who waits, who holds, what\nwas found. Exits with 1 when tasks wait for each other.",
    )
    .option("--server <url>", "the server to ask (POUNDLOCK_SERVER); its token stands\nin POUNDLOCK_TOKEN")
    .option("--pid <n>", "ask this process, by SIGUSR2", integer(1, 4_194_304))
    .addOption(new Option("--folder <path>", "where that process writes (default: ./.poundlock)"))
    .addOption(new Option("--dot", "who waits for whom, for Graphviz").conflicts(["json", "mermaid"]))
    .addOption(new Option("--mermaid", "the same as a Mermaid chart").conflicts("json"));
  addCommon(command)
    .addHelpText(
      "after",
      `
Examples:
  poundlock locks
  poundlock locks --pid 4711 --json
  poundlock locks --dot | dot -Tsvg > locks.svg`,
    )
    .action((options: LocksOptions) => locks(options, context));
}

async function locks(options: LocksOptions, context: Context): Promise<void> {
  const { hasStuckTasks } = await import("../../locks/index.js");
  const document = await documentOf(options, context);
  if (document.domains.some(hasStuckTasks)) context.exitCode(1);
  await context.terminal.print(await textOf(document, options, context));
}

async function documentOf(options: LocksOptions, context: Context): Promise<LocksDocument> {
  if (options.pid !== undefined) {
    const { resolve } = await import("node:path");
    const { askProcess } = await import("../ask-process.js");
    const folder = resolve(context.folder, options.folder ?? ".poundlock");
    return await askProcess({ pid: options.pid, folder, clock: context.clock });
  }
  const { findServer } = await import("../open-reader.js");
  const { UnreachableError } = await import("../errors.js");
  const server = await findServer(options, context);
  if (server !== undefined) return await server.locks();
  throw new UnreachableError(`Cannot show locks: no server runs in ${context.folder}`, {
    hint: "start one with `poundlock FILE`, name one with --server URL, or a process with --pid N",
  });
}

async function textOf(
  { domains, schema }: LocksDocument,
  options: LocksOptions,
  context: Context,
): Promise<string> {
  const { reportDot, reportMermaid, reportText } = await import("../../locks/index.js");
  const { terminal, folder } = context;
  if (options.json) return JSON.stringify({ schema, domains });
  const drawn = (draw: (report: DomainReport) => string): string => domains.map(draw).join("\n\n");
  if (options.dot) return drawn(reportDot);
  if (options.mermaid) return drawn(reportMermaid);
  if (domains.length === 0) return "no locks have been used";
  return drawn((report) => reportText(report, { columns: terminal.columns, folder }).join("\n"));
}
