import { runWithin, timeOver } from "../base/index.js";
import { detectFormat, readSample } from "../config/index.js";
import { compileCondition, ExpressionError, type Format, pickPath } from "../events/index.js";
import { findFiles } from "../tail/index.js";
import { UsageError } from "./errors.js";

const filesMax = 4;
const linesMax = 100;
const limitMs = 2_000;

/**
 * Refuses a pattern, of the format or inside `where`, that takes for ever on one of the first lines. The threads that read the
 * files would be stopped and replaced for each such line, half a minute at a time.
 *
 * @throws FormatError · UsageError
 */
export async function refuseEndlessPatterns(
  patterns: readonly string[],
  format: Format,
  where: string | undefined,
): Promise<void> {
  const isRisky = format.kind === "pattern" && format.name === "pattern";
  const condition = where?.includes("matches") ? where : undefined;
  if (!isRisky && condition === undefined) return;
  const { paths } = await findFiles(patterns);
  const samples = await Promise.all(
    paths.slice(0, filesMax).map((path) => readSample(path, linesMax).catch(() => [])),
  );
  const { events } = detectFormat(samples.flat(), format);
  if (condition !== undefined) refuseEndlessCondition(condition, events);
}

function refuseEndlessCondition(where: string, events: readonly unknown[]): void {
  const expression = compileCondition(where);
  const run = (): void => {
    for (const event of events) {
      try {
        expression.evaluate(expression.paths.map(({ keys }) => pickPath(event, keys)));
      } catch (error) {
        // Such events go to the dead letters, later, with their reason.
        if (!(error instanceof ExpressionError)) throw error;
      }
    }
  };
  if (runWithin(limitMs, run) !== timeOver) return;
  throw new UsageError(
    `Cannot use --where ${JSON.stringify(where)}: a pattern in it takes more than ${limitMs / 1_000} s on the first lines`,
    { hint: "let no two repeats match the same characters: (a+)+ is a+, and .*.* is .*" },
  );
}
