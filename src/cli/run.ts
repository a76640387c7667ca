import { readFileSync } from "node:fs";
import { messageOf } from "../base/index.js";
import type { Context } from "./context.js";
import { errorJson, errorLines } from "./error-text.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";
import { buildProgram, commanderExit } from "./program.js";

/** Runs one command line and answers with the exit code; nothing that a command throws gets past it. */
export async function run(args: readonly string[], world: Omit<Context, "exitCode">): Promise<number> {
  const { terminal } = world;
  let code: number = exitCodes.ok;
  const isJson = args.includes("--json");
  const context: Context = {
    ...world,
    exitCode: (value) => {
      code = value;
    },
  };
  setColor(args, context);
  try {
    const program = buildProgram(context, version());
    if (isJson) silence(program);
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const exit = commanderExit(error);
    if (exit === exitCodes.ok) return exit;
    if (exit !== undefined && !isJson) return exit;
    if (isJson) terminal.say(errorJson(error));
    else for (const line of errorLines(error, terminal)) terminal.say(line);
    return exit ?? exitCodeOf(error);
  }
}

/** Errors under `--json` are JSON too, so commander must not write its own. */
function silence(program: ReturnType<typeof buildProgram>): void {
  const all = [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)];
  for (const command of all) {
    command.configureOutput({ writeErr: () => {}, outputError: () => {} });
  }
}

/** Known before the command line is, so that the errors of reading it have the right colours too. */
function setColor(args: readonly string[], { terminal }: Context): void {
  const at = args.indexOf("--color");
  const mode = at === -1 ? args.find((arg) => arg.startsWith("--color="))?.slice(8) : args[at + 1];
  if (mode === "always" || mode === "never") terminal.color = mode;
}

function version(): string {
  try {
    const file = new URL("../../../package.json", import.meta.url);
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}
