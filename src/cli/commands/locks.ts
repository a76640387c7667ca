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
  addMerge(command, context);
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

function addMerge(locks: Command, context: Context): void {
  const command = locks
    .command("merge")
    .summary("find cycles that no single process saw")
    .description(
      "Puts together the orders in which processes took their locks, and shows cycles\nthat none of them saw alone. Exits with 1 when there are any that can hang.",
    )
    .argument("<file...>", "reports as JSON (locks --json, POUNDLOCK_LOCKS_FOLDER),\nor orders");
  addCommon(command)
    .addHelpText(
      "after",
      `
Examples:
  POUNDLOCK_LOCKS_FOLDER=locks npm test; poundlock locks merge locks/*.json
  poundlock locks merge a.json b.json --json`,
    )
    .action((files: string[], options: CommonOptions) => merge(files, options, context));
}

async function merge(files: readonly string[], options: CommonOptions, context: Context): Promise<void> {
  const { readOrders } = await import("../lock-orders.js");
  const { mergeOrders } = await import("../../locks/index.js");
  const { terminal } = context;
  const orders = await readOrders(files, context.folder);
  const findings = mergeOrders(orders);
  if (findings.some(({ severity }) => severity !== "gated")) context.exitCode(1);
  if (options.json) {
    const all = findings.map((finding) => ({ ...finding, message: finding.message() }));
    return terminal.print(
      JSON.stringify({ schema: "poundlock.locks.merge/1", orders: orders.length, findings: all }),
    );
  }
  const { printable } = await import("../table.js");
  const lines = findings.flatMap((finding) => [...finding.message().split("\n").map(printable), ""]);
  const count =
    findings.length === 0 ? "no cycle" : findings.length === 1 ? "1 cycle" : `${findings.length} cycles`;
  const of = orders.length === 1 ? "the one order shows" : `each of ${orders.length} orders shows`;
  await terminal.print([...lines, `${count} beyond what ${of}`].join("\n"));
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
