import type { Command } from "commander";
import type { Context } from "../context.js";
import { addCommon, addProgress, type CommonOptions, type ProgressOptions } from "../options.js";
import { addServing, type ServingOptions } from "../serving-options.js";

type UpOptions = CommonOptions &
  ProgressOptions &
  ServingOptions & { readonly config?: string; readonly memory?: boolean };

export function addUp(program: Command, context: Context): void {
  const command = program
    .command("up")
    .summary("run what a configuration says")
    .description(
      "Runs the sources, metrics and dashboard of a configuration. Goes on exactly where\nit stopped, however it was stopped.",
    )
    .option(
      "-c, --config <file>",
      "the configuration; poundlock.yaml or\npoundlock.config.js of this folder when not given",
    )
    .option("--memory", "keep nothing: the store is in memory");
  addCommon(addProgress(addServing(command)))
    .addHelpText(
      "after",
      `
Examples:
  poundlock up
  poundlock up -c prod.yaml --port 8080`,
    )
    .action((options: UpOptions) => up(options, context));
}

async function up(options: UpOptions, context: Context): Promise<void> {
  const { findConfig, loadConfig } = await import("../../config/index.js");
  const { resolve, relative } = await import("node:path");
  const { terminal, environment, folder } = context;
  const file = options.config ?? relative(folder, await findConfig(folder));
  const loaded = await loadConfig(resolve(folder, file), environment);
  for (const warning of loaded.warnings) terminal.say(`warning  ${warning}`);
  const { settleTimeFormats } = await import("../time-formats.js");
  const config = await settleTimeFormats(loaded, terminal);
  const { serve } = await import("../serve.js");
  const server = {
    ...config.server,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.port === undefined ? {} : { port: options.port, isPortExplicit: true }),
  };
  const store = options.memory ? ({ kind: "memory" } as const) : config.store;
  await serve({ config: { ...config, server, store }, options, facts: [["Running", file]] }, context);
}
