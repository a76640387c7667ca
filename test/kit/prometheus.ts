import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.js";

const startMsMax = 60_000;

/** One series of an instant vector, as the HTTP API has it. */
export interface VectorSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [atS: number, value: string];
  readonly histogram?: readonly [
    atS: number,
    histogram: {
      readonly count: string;
      readonly sum: string;
      /** Which ends belong to it (0: the right one), left, right, count. */
      readonly buckets?: readonly (readonly [rule: number, left: string, right: string, count: string])[];
    },
  ];
}

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Prometheus server of its own, in a folder of its own, that scrapes every second. */
export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #log: () => string;
  #url = "";

  private constructor(child: ChildProcess, folder: string, log: () => string) {
    this.#child = child;
    this.#folder = folder;
    this.#log = log;
  }

  /**
   * @param targets path and port on loopback, by the name that its series have as `job`
   * @param features names for `--enable-feature`
   */
  static async start(
    targets: Readonly<Record<string, { readonly port: number; readonly path: string }>>,
    features: readonly string[] = [],
  ): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), "poundlock-prometheus-"));
    const config = {
      global: { scrape_interval: "1s", scrape_timeout: "1s" },
      scrape_configs: Object.entries(targets).map(([name, { port, path }]) => ({
        job_name: name,
        metrics_path: path,
        static_configs: [{ targets: [`127.0.0.1:${port}`] }],
      })),
    };
    // JSON is YAML.
    writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
    const child = spawn(
      "prometheus",
      [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:0",
        ...features.map((feature) => `--enable-feature=${feature}`),
      ],
      { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-20_000);
    });
    child.on("error", (error) => {
      log += `${error.message}: install the Debian package prometheus\n`;
    });
    const server = new PrometheusServer(child, folder, () => log);
    await server.#ready();
    return server;
  }

  /**
   * Waits until every target has been scraped; fails with what Prometheus has against one.
   * @returns a time at which all were, in seconds, to ask about: later a scrape may take too long and leave nothing to see
   */
  async scraped(): Promise<number> {
    return await until(
      "every target is scraped",
      async () => {
        const { activeTargets } = (await this.#ask("targets")) as { activeTargets: readonly Target[] };
        for (const { health, lastError, labels } of activeTargets)
          assert.ok(health !== "down" || isSlow(lastError), `${labels.job}: ${lastError}\n${this.#log()}`);
        // A target's health is told before its samples can be seen; `up` is among them.
        const atS = Date.now() / 1000;
        const up = await this.query("up == 1", atS);
        return activeTargets.length > 0 && up.length === activeTargets.length && atS;
      },
      startMsMax,
    );
  }

  /** The instant vector that a query gives at a time, in seconds; now, when there is none. */
  async query(query: string, atS: number = Date.now() / 1000): Promise<readonly VectorSample[]> {
    const { result } = (await this.#ask(`query?time=${atS}&query=${encodeURIComponent(query)}`)) as {
      result: readonly VectorSample[];
    };
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const address = await until(
      "Prometheus has said where it listens",
      () => {
        assert.equal(this.#child.exitCode, null, `Prometheus ended by itself:\n${this.#log()}`);
        assert.doesNotMatch(this.#log(), /ENOENT/);
        return /msg="Listening on" address=(\S+)/.exec(this.#log())?.[1];
      },
      startMsMax,
    );
    this.#url = `http://${address}`;
    await until("Prometheus is ready", async () => (await fetch(`${this.#url}/-/ready`)).ok, startMsMax);
  }

  async #ask(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; data: unknown; error?: string };
    assert.equal(body.status, "success", `${path}: ${body.error}`);
    return body.data;
  }
}

/** A machine with much to do may take longer than a second for a scrape; the next one has another second. */
function isSlow(error: string): boolean {
  return error.includes("deadline exceeded");
}
