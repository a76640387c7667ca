import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.js";

export interface PrometheusOptions {
  /** `host:port` of each target; all are scraped once a second at /metrics. */
  readonly targets: readonly string[];
  /** Values of `--enable-feature`. */
  readonly features?: readonly string[];
}

/** One series of an answer. */
export interface QueriedSample {
  /** Without `instance` and `job`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const startMsMax = 30_000;

/** A real Prometheus, the Debian package's, that scrapes for as long as a test runs. */
export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
  }

  static async start({ targets, features = [] }: PrometheusOptions): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), "poundlock-prometheus-"));
    const static_configs = [{ targets }];
    const config = {
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "test", static_configs }],
    };
    // JSON is YAML.
    writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        "--web.listen-address=127.0.0.1:0",
        ...(features.length > 0 ? [`--enable-feature=${features.join(",")}`] : []),
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let stderr = "";
    child.on("error", (error) => {
      stderr += String(error);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const address = await until(
      "Prometheus has said where it listens",
      () => {
        assert.ok(
          child.pid !== undefined && child.exitCode === null,
          `Prometheus ended by itself:\n${stderr}`,
        );
        return stderr.includes("ready to receive") && /"Listening on" address=(\S+)/.exec(stderr)?.[1];
      },
      startMsMax,
    );
    return new PrometheusServer(child, folder, `http://${address}`);
  }

  /** Resolves once every target was scraped. @throws with Prometheus' own words when a scrape was refused */
  async scraped(): Promise<void> {
    await until(
      "every target was scraped",
      async () => {
        const { activeTargets } = (await this.#get("/api/v1/targets")) as {
          activeTargets: readonly { health: string; lastError: string }[];
        };
        // A busy machine may be too slow for one scrape; the next one comes a second later.
        const errors = activeTargets.map(({ lastError }) => lastError.replace(/.*deadline exceeded.*/, ""));
        assert.deepEqual(errors.filter(Boolean), []);
        return activeTargets.length > 0 && activeTargets.every(({ health }) => health === "up");
      },
      startMsMax,
    );
  }

  /** What a PromQL expression is now, in the order of the answer. */
  async query(expression: string): Promise<QueriedSample[]> {
    const { result } = (await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
      result: readonly { metric: Record<string, string>; value: readonly [number, string] }[];
    };
    return result.map(({ metric: { instance: _, job: __, ...labels }, value: [, text] }) => ({
      labels,
      value: text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? -Infinity : Number(text),
    }));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#url + path);
    const { data, error } = (await response.json()) as { data?: unknown; error?: string };
    assert.equal(error, undefined, path);
    return data;
  }
}
