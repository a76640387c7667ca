import { codeOf } from "../base/index.js";
import type { ServerChoice } from "../config/index.js";
import { openServer, type RunningServer, type ServerOptions } from "../server/index.js";
import type { Terminal } from "./terminal.js";

/** How many ports after the default one are tried; past that something is odd and should be seen. */
const portsTried = 20;

/** Opens the server on the port asked for; a default port that is busy gives way to the next free one, with a warning. */
export async function listen(
  choice: ServerChoice,
  options: Pick<ServerOptions, "source" | "notices">,
  terminal: Terminal,
): Promise<RunningServer> {
  const { port, isPortExplicit, ...guarded } = choice;
  const attempt = (tried: number): Promise<RunningServer> =>
    openServer({ ...options, ...guarded, port: tried });
  for (let tried = port; ; tried += 1) {
    try {
      const server = await attempt(tried);
      if (tried !== port) terminal.say(`warning  port ${port} is busy; using ${server.port}`);
      return server;
    } catch (error) {
      const isBusy = codeOf((error as { cause?: unknown }).cause) === "EADDRINUSE";
      if (!isBusy || isPortExplicit || tried >= port + portsTried) throw error;
    }
  }
}
