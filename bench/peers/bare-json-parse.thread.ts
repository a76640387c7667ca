import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** The bare loop: read, split at newlines, JSON.parse, count. Nothing is done with the result. */
const { descriptor, start, end } = workerData as { descriptor: number; start: number; end: number };
const chunkBytes = 4 * 1024 * 1024;
const buffer = Buffer.allocUnsafeSlow(chunkBytes);
let lines = 0;
let kept = 0;
let at = start;
while (at < end) {
  const got = readSync(descriptor, buffer, kept, Math.min(chunkBytes - kept, end - at), at);
  if (got === 0) break;
  at += got;
  const filled = kept + got;
  const complete = buffer.lastIndexOf(0x0a, filled - 1) + 1;
  const text = buffer.toString("latin1", 0, complete);
  let from = 0;
  for (;;) {
    const newline = text.indexOf("\n", from);
    if (newline === -1) break;
    JSON.parse(text.slice(from, newline));
    lines += 1;
    from = newline + 1;
  }
  buffer.copyWithin(0, complete, filled);
  kept = filled - complete;
}
parentPort?.postMessage(lines);
