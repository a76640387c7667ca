import type { Command } from "commander";

export interface ReaderOptions {
  readonly server?: string;
  readonly config?: string;
}

/** Where a command that only looks gets its answers from. */
export function addReaderOptions(command: Command): Command {
  return command
    .option("--server <url>", "the server to ask (POUNDLOCK_SERVER); its token stands\nin POUNDLOCK_TOKEN")
    .option("-c, --config <file>", "open the store of this configuration instead");
}
