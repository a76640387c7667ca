import { openSync, readSync, statSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** A whole program that only parses: two threads, half of the file each, cut at a line's end. Prints the lines parsed. */
const path = process.argv[2] ?? "";
const descriptor = openSync(path, "r");
const size = statSync(path).size;
const probe = Buffer.alloc(64 * 1024);
const half = size >> 1;
readSync(descriptor, probe, 0, probe.length, half);
const middle = half + probe.indexOf(0x0a) + 1;
const counts = await Promise.all([parse(0, middle), parse(middle, size)]);
process.stdout.write(`${counts.reduce((sum, lines) => sum + lines, 0)}\n`);

function parse(start: number, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const entry = new URL("./bare-json-parse.thread.js", import.meta.url);
    const thread = new Worker(entry, { workerData: { descriptor, start, end } });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}
