import type { Command } from "commander";
import type { Context } from "../context.js";
import { addCommon, type CommonOptions } from "../options.js";

type ValidateOptions = CommonOptions & { readonly config?: string; readonly denyWarnings?: boolean };

export function addValidate(program: Command, context: Context): void {
  const command = program
    .command("validate")
    .summary("check a configuration")
    .description(
      "Checks configurations: keys, units, references, paths, expressions and patterns.\nShows every mistake with its line and a fix. Exits with 1 when there is one.",
    )
    .argument("[file...]", "configurations; the one of this folder when none is named")
    .option("-c, --config <file>", "the same as naming it")
    .option("--deny-warnings", "exit with 1 for warnings too");
  addCommon(command)
    .addHelpText(
      "after",
      `
Examples:
  poundlock validate
  poundlock validate prod.yaml --json`,
    )
    .action((files: string[], options: ValidateOptions) => validate(files, options, context));
}

interface Checked {
  readonly file: string;
  readonly ok: boolean;
  readonly problems: readonly object[];
  readonly warnings: readonly string[];
  readonly text: string;
}

async function validate(named: readonly string[], options: ValidateOptions, context: Context): Promise<void> {
  const { findConfig } = await import("../../config/index.js");
  const { relative } = await import("node:path");
  const { terminal, folder } = context;
  const asked = options.config === undefined ? named : [...named, options.config];
  const files = asked.length > 0 ? asked : [relative(folder, await findConfig(folder))];
  const results: Checked[] = [];
  for (const file of files) results.push(await check(file, context));
  const isBad = results.some(({ ok, warnings }) => !ok || (options.denyWarnings && warnings.length > 0));
  if (isBad) context.exitCode(1);
  if (options.json) {
    const items = results.map(({ text: _text, ...rest }) => rest);
    return terminal.print(JSON.stringify({ schema: "poundlock.validate/1", items }));
  }
  for (const { text, warnings, file } of results) {
    await terminal.print(text);
    for (const warning of warnings)
      await terminal.print(`${terminal.style("yellow", "warning")}  ${file}: ${warning}`);
  }
}

async function check(file: string, { environment, terminal }: Context): Promise<Checked> {
  const { ConfigError, loadConfig } = await import("../../config/index.js");
  try {
    const { sources, metrics, warnings } = await loadConfig(file, environment);
    const text = [
      plural(sources.length, "source"),
      plural(metrics.length, "metric"),
      plural(warnings.length, "warning"),
    ];
    return {
      file,
      ok: true,
      problems: [],
      warnings,
      text: `${terminal.style("green", "ok")}  ${file}  ${text.join(", ")}`,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, ok: false, problems: error.problems, warnings: [], text: error.message };
  }
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
