#!/usr/bin/env node
// The one entry of every npm script. Nothing newer than Node 12 may stand in this file: it is what tells people with an
// old Node so, and an import of a newer name would fail before the first line runs.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Poundlock needs Node.js 20.19 or later; this is ${process.version}.\n`);
  process.exit(3);
}
import("./jobs.mjs").then(({ runJob }) => runJob(process.argv[2], process.argv.slice(3)));
