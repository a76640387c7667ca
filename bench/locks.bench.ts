import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, round } from "./kit/programs.js";

/**
 * `npm run bench -- locks [--size 200000] [--rounds 7] [--node 24]`: what acquiring and releasing costs, ours with everything on (`full`,
 * metrics included) and with the detector off, beside the usual packages. Each contender has a process of its own for each form, since
 * AsyncLocalStorage once used makes every `await` of a Node.js 20 process dearer; rounds take turns.
 */
const { values: flags } = parseArgs({
  options: { size: { type: "string", default: "200000" }, rounds: { type: "string", default: "7" } },
});
const isSmoke = flags.size === "smoke";
const operations = isSmoke ? 2_000 : Number(flags.size);
const rounds = isSmoke ? 1 : Number(flags.rounds);
const program = fileURLToPath(new URL("./peers/lock-times.js", import.meta.url));

const contenders = ["full", "off", "async-mutex", "async-lock", "async-sema", "p-limit", "web-locks"];
const forms = ["run", "hold", "using", "contended", "contendedRun"] as const;
type Form = (typeof forms)[number];

const times = new Map<string, number[]>();
for (let count = 0; count < rounds; count += 1)
  for (const name of contenders)
    for (const form of forms) {
      const { stdout } = spawnSync(process.execPath, [program, name, form, String(operations)], {
        encoding: "utf8",
      });
      // A form that the contender lacks, as Node.js 20 lacks navigator.locks.
      if (stdout === "") continue;
      const key = `${name} ${form}`;
      times.set(key, [...(times.get(key) ?? []), Number(stdout)]);
    }

const timeOf = (name: string, form: Form): number | undefined => {
  const measured = times.get(`${name} ${form}`);
  return measured === undefined ? undefined : median(measured);
};
const ratio = (peer: string, form: Form, ours: "full" | "off"): number | undefined => {
  const [theirs, our] = [timeOf(peer, form), timeOf(ours, form)];
  return theirs === undefined || our === undefined ? undefined : round(theirs / our);
};
const ratios = {
  "async-mutex.full": ratio("async-mutex", "run", "full"),
  "async-mutex.off": ratio("async-mutex", "run", "off"),
  "async-mutex.hold.full": ratio("async-mutex", "hold", "full"),
  "async-mutex.hold.off": ratio("async-mutex", "hold", "off"),
  "async-lock.full": ratio("async-lock", "run", "full"),
  "async-sema.full": ratio("async-sema", "hold", "full"),
  "async-sema.contended": ratio("async-sema", "contended", "full"),
  "async-sema.contended.off": ratio("async-sema", "contended", "off"),
  "async-mutex.contended": ratio("async-mutex", "contendedRun", "full"),
  "p-limit.contended": ratio("p-limit", "contendedRun", "full"),
  "p-limit.full": ratio("p-limit", "run", "full"),
  "web-locks.full": ratio("web-locks", "run", "full"),
};

const out = process.stdout;
out.write(
  `${operations} operations, ${rounds} rounds, Node ${process.versions.node}, ${availableParallelism()} cores; medians, ns for one acquire and release\n`,
);
out.write("                                                      ten tasks in line:\n");
out.write("                 run(body)  acquire, release    using  acquire, release  run(body)\n");
const widths = [9, 17, 8, 17, 10];
for (const name of contenders) {
  const cells = forms.map((form, index) => {
    const ns = timeOf(name, form);
    return (ns === undefined ? "–" : ns.toFixed(0)).padStart(widths[index] ?? 12);
  });
  out.write(
    `${(name === "full" || name === "off" ? `poundlock, ${name}` : name).padEnd(16)} ${cells.join(" ")}\n`,
  );
}
const figures = Object.fromEntries(
  (["full", "off"] as const).flatMap((mode) =>
    forms.map((form) => [`${mode}.${form}Ns`, Math.round(timeOf(mode, form) ?? 0)]),
  ),
);
const known = Object.fromEntries(Object.entries(ratios).filter(([, value]) => value !== undefined));
out.write(`${JSON.stringify({ bench: "locks", node: process.versions.node, ratios: known, figures })}\n`);
