import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { labelShapes } from "./kit/label-sets.js";
import { median, round } from "./kit/programs.js";
import type { ContentionTimes } from "./peers/metric-contention.js";
import { recordForms } from "./peers/metric-forms.js";
import type { ScrapeFigures } from "./peers/metric-scrapes.js";
import type { RecordTimes } from "./peers/metric-times.js";

/**
 * `npm run bench -- metrics [--size 1000000] [--rounds 5] [--series 10000] [--node 24]`: what a record, a snapshot and a scrape cost
 * beside prom-client, its successor @prometheus-io/client (Node.js 22 and later), OpenTelemetry's SDK and node:perf_hooks. Each form
 * of each contender has a process of its own; rounds take turns. Times of records are processor time, and a stall is the longest that
 * the process itself kept its event loop, so other load on the machine changes the ratios little.
 */
const { values: flags } = parseArgs({
  options: {
    size: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "5" },
    series: { type: "string", default: "10000" },
  },
});
const isSmoke = flags.size === "smoke" || flags.size === "small";
const operations = isSmoke ? 3_000 : Number(flags.size);
const rounds = isSmoke ? 1 : Number(flags.rounds);
const series = isSmoke ? 100 : Number(flags.series);
const contentionMs = isSmoke ? 5 : 500;
const repeats = isSmoke ? 1 : 5;
const busyMs = isSmoke ? 50 : 8_000;
const contenders = ["poundlock", "prom-client", "prometheus-io", "opentelemetry", "perf_hooks"];
const out = process.stdout;

function run(script: string, args: readonly (string | number)[]): string {
  const path = fileURLToPath(new URL(`./peers/${script}.js`, import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--expose-gc", path, ...args.map(String)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

class Figures {
  readonly #found = new Map<string, number[]>();

  add(name: string, value: number): void {
    this.#found.set(name, [...(this.#found.get(name) ?? []), value]);
  }

  get(name: string): number | undefined {
    const found = this.#found.get(name);
    return found === undefined ? undefined : median(found);
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#found.keys()].map((name) => [name, round(this.get(name) ?? 0)]));
  }
}

const records = new Figures();
const contention = new Figures();
const scrapes = new Figures();
/** What a contender lacks, or what is not installed for this Node.js, is left out. */
for (let count = 0; count < rounds; count += 1) {
  for (const contender of contenders)
    for (const forms of isSmoke ? [recordForms] : recordForms.map((form) => [form])) {
      const times = JSON.parse(run("metric-times", [contender, operations, ...forms])) as RecordTimes;
      for (const [form, ns] of Object.entries(times)) records.add(`${contender} ${form}`, ns);
    }
  for (const what of ["counter", "histogram", "perf_hooks"]) {
    const times = JSON.parse(run("metric-contention", [what, contentionMs])) as ContentionTimes;
    for (const [who, ns] of Object.entries(times)) contention.add(`${what}.${who}Ns`, ns);
  }
  for (const kind of ["counter", "histogram"])
    for (const contender of contenders.slice(0, 3)) {
      const isBusyToo = contender === "poundlock" && kind === "histogram" && count === 0;
      const text = run("metric-scrapes", [contender, kind, series, repeats, isBusyToo ? busyMs : 0]);
      if (text === "") continue;
      for (const [name, value] of Object.entries(JSON.parse(text) as ScrapeFigures))
        scrapes.add(`${contender}.${kind}.${name}`, value);
    }
}

/** Of bound records a peer has two ways; the faster one counts. */
function timeOf(contender: string, form: string): number | undefined {
  const ways = ["counter", "histogram"].includes(form) ? [form, `${form}.sameLabels`] : [form];
  const found = ways.flatMap((way) => records.get(`${contender} ${way}`) ?? []);
  return found.length === 0 ? undefined : Math.min(...found);
}

const ratios: Record<string, number> = {};
function compare(name: string, theirs: number | undefined, ours: number | undefined): void {
  if (theirs !== undefined && ours !== undefined && ours > 0) ratios[name] = round(theirs / ours);
}
for (const peer of contenders.slice(1)) {
  const forms = {
    counter: "counter",
    histogram: "histogram",
    gauge: "gauge",
    unbound: "counter.freshLabels",
    "unbound.histogram": "histogram.freshLabels",
    "summary.samples": "window.last1000",
    "summary.recent": "window.last60s",
    ...Object.fromEntries(
      Object.keys(labelShapes).flatMap((shape) => [
        [`counter.${shape}`, `counter ${shape}`],
        [`histogram.${shape}`, `histogram ${shape}`],
      ]),
    ),
  };
  for (const [name, form] of Object.entries(forms))
    compare(`${peer}.${name}`, timeOf(peer, form), timeOf("poundlock", form));
  for (const kind of ["counter", "histogram"])
    for (const figure of ["scrapeCpuMs", "scrapeStallMs", "bytesPerSeries"])
      compare(
        `${peer}.${kind}.${figure.replace(/CpuMs|Ms/, "")}`,
        scrapes.get(`${peer}.${kind}.${figure}`),
        scrapes.get(`poundlock.${kind}.${figure}`),
      );
}

out.write(
  `${operations} records, ${rounds} rounds, Node ${process.versions.node}, ${availableParallelism()} cores; medians, ns of processor time for one record\n`,
);
const present = contenders.filter((contender) =>
  recordForms.some((form) => records.get(`${contender} ${form}`) !== undefined),
);
out.write(`${" ".repeat(23)}${present.map((name) => name.padStart(14)).join("")}\n`);
for (const form of recordForms) {
  const cells = present.map((contender) => records.get(`${contender} ${form}`)?.toFixed(1) ?? "–");
  out.write(`${form.padEnd(23)}${cells.map((cell) => cell.padStart(14)).join("")}\n`);
}
out.write("\nTwo threads on one series, ns for one record\n");
for (const what of ["counter", "histogram", "perf_hooks"])
  out.write(
    `${what.padEnd(23)}${["alone", "main", "worker"].map((who) => `${who} ${contention.get(`${what}.${who}Ns`)?.toFixed(1)}`.padStart(14)).join("")}\n`,
  );
out.write(`\n${series} series\n`);
for (const [name, value] of Object.entries(scrapes.all()))
  out.write(`${name.padEnd(46)}${value.toFixed(1).padStart(10)}\n`);

const named = (prefix: string, figures: Record<string, number>): [string, number][] =>
  Object.entries(figures).map(([name, value]) => [`${prefix}${name.replaceAll(" ", ".")}`, value]);
const figures = Object.fromEntries([
  ...named("recordNs.", records.all()),
  ...named("contention.", contention.all()),
  ...named("", scrapes.all()),
]);
out.write(`${JSON.stringify({ bench: "metrics", node: process.versions.node, ratios, figures })}\n`);
