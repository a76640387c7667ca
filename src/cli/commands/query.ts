import { type Command, InvalidArgumentError } from "commander";
import type { MetricAnswer } from "../../pipeline/index.js";
import type { Context } from "../context.js";
import { addCommon, type CommonOptions, integer } from "../options.js";
import { addReaderOptions, type ReaderOptions } from "../reader-options.js";

type QueryOptions = CommonOptions & ReaderOptions & { readonly window: string; readonly groups?: number };

export function addQuery(program: Command, context: Context): void {
  const command = program
    .command("query")
    .summary("show a metric's numbers")
    .description(
      "Shows the numbers of a metric, from the running server or from the store.\nWithout METRIC it names the metrics there are.",
    )
    .argument("[metric]", "name of a metric")
    .option("--window <span>", "the newest span, such as 1m or 24h, or all", window, "all")
    .option("--groups <n>", "most groups shown, the largest first", integer(1, 10_000));
  addCommon(addReaderOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  poundlock query
  poundlock query latency --window 5m
  poundlock query requests --json --groups 1000`,
    )
    .action((metric: string | undefined, options: QueryOptions) => query(metric, options, context));
}

function window(text: string): string {
  if (text === "all" || /^[1-9]\d*(?:ms|s|m|h|d)$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a number and a unit (ms s m h d), or all.");
}

async function query(metric: string | undefined, options: QueryOptions, context: Context): Promise<void> {
  const { openReader } = await import("../open-reader.js");
  const { terminal } = context;
  await using reader = await openReader(options, context);
  if (metric === undefined) {
    const names = await reader.metrics();
    const text = options.json
      ? JSON.stringify({ schema: "poundlock.metrics/1", metrics: names })
      : names.join("\n");
    return terminal.print(text);
  }
  const { parseDuration } = await import("../../config/index.js");
  const windowMs = options.window === "all" ? undefined : parseDuration(options.window);
  const answer = await reader.query({
    metric,
    window: options.window,
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(options.groups === undefined ? {} : { groupsMax: options.groups }),
  });
  if (options.json) return terminal.print(JSON.stringify({ schema: "poundlock.query/1", ...answer }));
  const { metricLines } = await import("../answer-text.js");
  await terminal.print([...metricLines(answer, terminal), `  ${await spanLine(answer)}`].join("\n"));
}

async function spanLine(answer: MetricAnswer): Promise<string> {
  const { countText, timeText } = await import("../numbers.js");
  const { span, late, future, untimed } = answer;
  const beside = Object.entries({ late, future, untimed })
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${countText(count)} ${word}`);
  const since = `since ${timeText(answer.sinceMs)}`;
  const when =
    span.kind === "total"
      ? `all time, ${since}`
      : `${timeText(span.fromMs)} to ${timeText(span.toMs)}, ends ${span.anchor === "now" ? "now" : "at the newest data"}`;
  return [when, ...(answer.isAtLeast ? ["at least"] : []), ...beside].join("; ");
}
