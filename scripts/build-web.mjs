import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { runOrExit } from "./child.mjs";
import { inRoot } from "./paths.mjs";

/** All of the page's script and style together, compressed: what a person on a slow link waits for. */
const gzipBytesMax = 60 * 1024;

runOrExit(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-p", "web"]);
mkdirSync(inRoot("dist/web"), { recursive: true });
for (const name of ["index.html", "favicon.svg"])
  copyFileSync(inRoot(`web/${name}`), inRoot(`dist/web/${name}`));
buildSync({
  entryPoints: [inRoot("web/app.ts"), inRoot("web/app.css")],
  outdir: inRoot("dist/web"),
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  // uPlot's licence goes where its code goes.
  legalComments: "inline",
  logLevel: "warning",
});
const sizes = ["app.js", "app.css"].map(
  (name) => gzipSync(readFileSync(inRoot(`dist/web/${name}`)), { level: 9 }).length,
);
const total = sizes.reduce((sum, size) => sum + size, 0);
if (total > gzipBytesMax) {
  process.stderr.write(`The dashboard has ${total} bytes compressed, more than ${gzipBytesMax}.\n`);
  process.exit(1);
}
