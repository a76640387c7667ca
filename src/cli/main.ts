import { systemClock } from "../base/index.js";
import { errorLines } from "./error-text.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run.js";
import { Terminal } from "./terminal.js";

// A reader that has seen enough (`| head`) is no error of ours; there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    throw error;
  });
}

const terminal = new Terminal({ out: process.stdout, err: process.stderr, environment: process.env });
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    for (const line of errorLines(error, terminal)) terminal.say(line);
    process.exit(exitCodes.bug);
  });
}

process.exitCode = await run(process.argv.slice(2), {
  terminal,
  clock: systemClock,
  environment: process.env,
  folder: process.cwd(),
  // The machine's monotonic clock counts from the start of the process, which is what a person waited for.
  startMs: 0,
  exitNow: (code) => process.exit(code),
});
