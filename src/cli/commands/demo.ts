import type { Command } from "commander";
import type { LoadedConfig, StoreChoice } from "../../config/index.js";
import type { Context } from "../context.js";
import { addCommon, addProgress, type CommonOptions, integer, type ProgressOptions } from "../options.js";
import { addServing, type ServingOptions } from "../serving-options.js";

type DemoOptions = CommonOptions &
  ProgressOptions &
  ServingOptions & { readonly rate: number; readonly seed: number; readonly memory?: boolean };

const brokenEvery = 200;

export function addDemo(program: Command, context: Context): void {
  const command = program
    .command("demo")
    .summary("made-up orders with a live dashboard")
    .description("Makes up an order feed and shows it live. One line in 200 is broken on purpose.")
    .option("--rate <n>", "lines a second", integer(1, 100_000), 40)
    .option("--seed <n>", "makes the same orders again", integer(0, 4_294_967_295), 1)
    .option("--memory", "keep no numbers: the store is in memory");
  addCommon(addProgress(addServing(command)))
    .addHelpText(
      "after",
      `
Examples:
  poundlock demo
  poundlock demo --rate 20000`,
    )
    .action((options: DemoOptions) => demo(options, context));
}

async function demo(options: DemoOptions, context: Context): Promise<void> {
  const { join } = await import("node:path");
  const { serverOf } = await import("../watch-config.js");
  const { DemoFeed } = await import("../demo-feed.js");
  const { serve } = await import("../serve.js");
  const { clock, folder } = context;
  const home = join(folder, ".poundlock", "demo");
  const feed = new DemoFeed({
    folder: join(home, "feed"),
    ratePerS: options.rate,
    seed: options.seed,
    brokenEvery,
    clock,
  });
  await feed.prepare();
  const store: StoreChoice = options.memory
    ? { kind: "memory" }
    : { kind: "lmdb", path: join(home, "store") };
  const feeding = `made-up orders, ${options.rate}/s, 1 in ${brokenEvery} broken on purpose`;
  await serve(
    {
      config: { ...demoConfig(join(home, "feed")), baseDir: folder, store, server: serverOf(options) },
      options,
      facts: [["Feeding", feeding]],
      beside: (signal) => feed.run(signal),
    },
    context,
  );
}

function demoConfig(feed: string): Pick<LoadedConfig, "sources" | "metrics" | "warnings"> {
  const from = ["orders"];
  return {
    sources: [
      {
        rule: {
          name: "orders",
          format: { kind: "json" },
          time: { kind: "field", path: "time", format: "iso" },
        },
        patterns: [`${feed}/*.jsonl`],
        from: "start",
      },
    ],
    metrics: [
      { name: "orders", kind: "count", from, by: ["status"] },
      { name: "orders_by_coin", kind: "count", from, by: ["order.coin"] },
      { name: "latency", kind: "distribution", from, by: ["order.coin"], value: "latency_ms", unit: "ms" },
      {
        name: "rejected",
        kind: "ratio",
        from,
        by: ["order.coin"],
        of: "orders_by_coin",
        where: 'status == "badAloPxRejected"',
      },
    ],
    warnings: [],
  };
}
