import type { FileSource, LoadedConfig } from "../config/index.js";
import { understandFiles } from "./look.js";
import type { Terminal } from "./terminal.js";

/** Decides the format of each time whose field the configuration names without one, from the first lines of its files. */
export async function settleTimeFormats(config: LoadedConfig, terminal: Terminal): Promise<LoadedConfig> {
  const sources = await Promise.all(config.sources.map((source) => settle(source, terminal)));
  return { ...config, sources };
}

async function settle(source: FileSource, terminal: Terminal): Promise<FileSource> {
  const { isTimeFormatOpen, ...closed } = source;
  const { name, time, format } = source.rule;
  if (!isTimeFormatOpen || time.kind !== "field") return source;
  const { found } = await understandFiles(source.patterns, { time: time.path, format });
  if (found.failed.of === 0) {
    terminal.say(
      `source ${name}: no lines yet, so ${time.path} is expected in ISO 8601; { field: ${time.path}, format: … } says otherwise`,
    );
  }
  return { ...closed, rule: { ...closed.rule, time: found.time } };
}
