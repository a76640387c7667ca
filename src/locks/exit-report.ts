import { writeSync } from "node:fs";
import { domains } from "./domains.js";
import { reportText } from "./report/index.js";

/** One installation for a process, however many copies of the package there are. */
const place: unique symbol = Symbol.for("poundlock.locks.exit-report.1") as never;
/** Exit code instead of 0. */
const exitCodeHung = 1;

/**
 * Says at the natural end of the process which locks are still held or waited for, since nothing is left that could release them: Node
 * ends a program whose only pending work is a deadlock silently, with code 0 from a script, with 13 from an unsettled top-level await.
 *
 * - The report goes to stderr. Code 0 becomes 1; any other code stays, so 13 stays 13.
 * - `process.exit()` is somebody's decision and reports nothing.
 * - May be called again: it does nothing then.
 */
export function reportAtExit(): void {
  const here = globalThis as { [place]?: true };
  if (here[place] === true) return;
  here[place] = true;
  process.on("beforeExit", () => {
    const onExit = (): void => {
      // Not the listener's own argument: Node 20 sets the 13 of an unsettled top-level await in a listener, which has run by now.
      if (sayWhatIsLeft() && Number(process.exitCode ?? 0) === 0) process.exitCode = exitCodeHung;
    };
    process.on("exit", onExit);
    // Another listener may have found something more to do; then this runs, and it is not the end.
    setImmediate(() => process.off("exit", onExit)).unref();
  });
}

function sayWhatIsLeft(): boolean {
  const left = domains().filter(({ isInUse, reportsAtExit }) => isInUse && reportsAtExit);
  for (const domain of left) {
    const lines = [
      "poundlock: the process ends, and locks that nobody will release are still held or waited for.",
      "",
      ...reportText(domain.report(), { columns: process.stderr.columns ?? 80 }),
      "",
    ];
    writeAll(`${lines.join("\n")}\n`);
  }
  return left.length > 0;
}

/** Nothing asynchronous happens any more at exit, and a pipe that is full for now is no reason to lose the report. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  const triesMax = 1_000;
  let written = 0;
  for (let tries = 0; written < bytes.length && tries < triesMax; tries += 1) {
    try {
      written += writeSync(2, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
