import { systemClock } from "../../src/base/index.js";
import { reportTo } from "../../src/metrics/index.js";
import { Tally } from "./tally.js";

/** What a test tells a child to do; it answers each with `{ done: … }`. */
export type Command =
  | { readonly do: "count"; readonly n: number }
  /** Reports, and answers how much had been counted before. */
  | { readonly do: "report" }
  /** Answers first, then does nothing else for that long. */
  | { readonly do: "spin"; readonly forMs: number }
  | { readonly do: "end"; readonly how: "exit" | "throw" | "disconnect" | "finish" };

/**
 * A process made to be gathered: `everyMs` of its reporter is its first argument, the second is "count" to have it count by itself for as
 * long as it lives. Each counted event is a size of 0.25 too.
 */
const [everyMs = "1000", busy] = process.argv.slice(2);
const tally = new Tally();
let counted = 0;

function count(n: number): void {
  counted += n;
  tally.count("x", n);
  for (let i = 0; i < n; i += 1) tally.size(0.25);
}

tally.open = 1;
const reporter = reportTo(process, tally, { everyMs: Number(everyMs) });

async function obey(command: Command): Promise<void> {
  switch (command.do) {
    case "count":
      count(command.n);
      break;
    case "report": {
      const before = counted;
      await reporter.report();
      process.send?.({ done: "report", counted: before });
      return;
    }
    case "spin": {
      process.send?.({ done: "spin" }, () => spin(command.forMs));
      return;
    }
    case "end":
      // Not reported yet: its end must do that.
      count(7);
      if (command.how === "exit") process.exit(0);
      if (command.how === "throw") throw new RangeError("made to fail");
      if (command.how === "disconnect") process.disconnect?.();
      process.removeAllListeners("message");
      return;
  }
  process.send?.({ done: command.do });
}

function spin(forMs: number): void {
  const endsAtMs = systemClock.monotonicMs() + forMs;
  while (systemClock.monotonicMs() < endsAtMs) tally.open = 1;
}

process.on("message", (command: Command) => {
  if ("do" in command) void obey(command);
});
process.send?.({ done: "start" });

if (busy === "count") {
  const go = (): void => {
    count(10);
    systemClock.after(1, go);
  };
  go();
}
