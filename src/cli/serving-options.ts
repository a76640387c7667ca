import type { Command } from "commander";
import { integer } from "./options.js";

export interface ServingOptions {
  readonly port?: number;
  readonly host?: string;
}

/** Where the dashboard is served. */
export function addServing(command: Command): Command {
  return command
    .option(
      "--port <n>",
      "port of the dashboard; 4600 or the next free one\nwhen not given, any free one for 0",
      integer(0, 65_535),
    )
    .option(
      "--host <address>",
      "address to listen on (beyond this machine only with\na token in the configuration)",
    );
}
