import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";

/** The processes' own domain. Tests that provoke a finding use domains of their own. */
const domainName = "shared";

/**
 * The locks of everything that a test run starts: each process leaves the report of its locks in a folder, and at the end nothing may have been
 * found in one of them, or in the orders of all of them together. What is left locked at a natural end is exit code 1 by itself, and what a
 * process that was told to exit holds is no mistake.
 */
export class SuiteLocks {
  #folder = mkdtempSync(join(tmpdir(), "poundlock-suite-locks-"));

  /** For the environment of what is run. */
  get environment() {
    return { POUNDLOCK_LOCKS_FOLDER: this.#folder };
  }

  /** What was found, and how much was looked at. Takes the folder away. */
  async end() {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith(".json"));
    const reports = names.flatMap((name) => reportsIn(join(this.#folder, name)));
    rmSync(this.#folder, { recursive: true });
    const { mergeOrders } = await import(inRoot("dist/src/locks/index.js"));
    const orders = reports.flatMap(({ order }) => (order === undefined ? [] : [order]));
    const problems = [
      ...reports.flatMap(({ findings }) => findings.map(({ message }) => message)),
      ...mergeOrders(orders).map((finding) => finding.message()),
    ];
    const acquisitions = reports
      .flatMap(({ classes }) => classes)
      .reduce((sum, { metrics }) => sum + metrics.acquisitions, 0);
    return { processes: reports.length, acquisitions, problems: [...new Set(problems)] };
  }
}

/** A process that was killed has left the report from its start. */
function reportsIn(path) {
  const { domains } = JSON.parse(readFileSync(path, "utf8"));
  return domains.filter(({ domain }) => domain === domainName);
}
