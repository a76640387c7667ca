// Asks the service, and compares what it got with what the service counted: node load.mjs [--help]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compared, inFlightOf, Tally } from "./expectations.mjs";
import { requestsOf } from "./workload.mjs";

const usage = `Usage: node load.mjs [OPTION…]
  --users N        at the same time (default 20)
  --requests N     of each user (default 50)
  --seconds S      instead of --requests: for so long
  --seed N         which requests (default 1)
  --url URL        of a service that nobody else asks meanwhile, with --metrics URL of its /metrics.json
  --cluster        without --url: starts the service in two processes instead of one
  --json           the result as JSON
Ends with 0 when all numbers are equal, else with 1.
`;

const { values: options } = parseArgs({
  options: {
    users: { type: "string", default: "20" },
    requests: { type: "string", default: "50" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    url: { type: "string" },
    metrics: { type: "string" },
    cluster: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (options.help) process.stdout.write(usage);
else await main();

async function main() {
  const service = options.url === undefined ? await started() : given();
  try {
    const agent = new Agent({ keepAlive: true });
    const before = await settled(service.metricsUrl, agent);
    if (before.requests_total > 0) throw new Error("The service was asked before: start it anew");
    const tally = new Tally();
    const startedMs = performance.now();
    const users = Array.from({ length: Number(options.users) }, (_, user) =>
      ask(service.url, user, tally, agent),
    );
    await Promise.all(users);
    const seconds = (performance.now() - startedMs) / 1000;
    const answer = await settled(service.metricsUrl, agent);
    agent.destroy();
    report(tally, seconds, compared(tally, answer), answer);
  } finally {
    await service.stop();
  }
}

function given() {
  const { url, metrics = `${url}/metrics.json` } = options;
  return { url, metricsUrl: metrics, stop: async () => undefined };
}

/** A service of our own, on a free port. */
async function started() {
  const program = fileURLToPath(new URL(options.cluster ? "cluster.mjs" : "server.mjs", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error("The service did not start"))),
  ]);
  const stop = async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  };
  return { ...JSON.parse(line), stop };
}

/** One user: the next question once the last is answered. */
async function ask(url, user, tally, agent) {
  const endsAtMs =
    options.seconds === undefined ? undefined : performance.now() + 1000 * Number(options.seconds);
  let asked = 0;
  for (const wanted of requestsOf(Number(options.seed), user)) {
    const isOver = endsAtMs === undefined ? asked >= Number(options.requests) : performance.now() >= endsAtMs;
    if (isOver) return;
    asked += 1;
    tally.add(await exchanged(url, wanted, user, agent));
  }
}

function exchanged(url, { method, path, body, leavesAfter }, user, agent) {
  const startedMs = performance.now();
  const headers = { "x-user": `user ${user}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, agent, headers }, (answer) => {
      let text = "";
      let end = "broken";
      answer.setEncoding("utf8").on("data", (piece) => {
        text += piece;
        // Only now: the service must have the request, or it could not count it.
        if (leavesAfter === undefined || text.length < leavesAfter) return;
        end = "left";
        sent.destroy();
      });
      answer.on("error", () => undefined);
      answer.on("close", () => {
        if (answer.complete) end = "complete";
        const isJson = answer.headers["content-type"]?.startsWith("application/json");
        const parsed = isJson && answer.complete && text !== "" ? JSON.parse(text) : {};
        resolve({ status: answer.statusCode, body: parsed, end, tookMs: performance.now() - startedMs });
      });
    });
    // An answer that was begun says itself how it ended.
    sent.on("error", (error) => {
      if (sent.res === null || sent.res === undefined)
        reject(new Error(`No answer to ${method} ${path}: ${error.message}`, { cause: error }));
    });
    sent.end(body);
  });
}

/** The service's numbers once it is busy with nothing: it learns of a client that left a little later than the client. */
async function settled(metricsUrl, agent) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await numbers(metricsUrl, agent);
    if (inFlightOf(answer) === 0 || attempt === 100) return answer;
    await sleep(50);
  }
}

async function numbers(metricsUrl, agent) {
  const sent = request(metricsUrl, { agent }).end();
  const [answer] = await once(sent, "response");
  let text = "";
  for await (const piece of answer.setEncoding("utf8")) text += piece;
  return JSON.parse(text);
}

function report(tally, seconds, rows, answer) {
  const isEqual = rows.every((row) => row.isEqual);
  const result = {
    requests: tally.requests,
    succeededPercent: rounded((100 * tally.succeeded) / Math.max(1, tally.requests)),
    perSecond: rounded(tally.requests / seconds),
    latencyMs: {
      avg: rounded(tally.averageMs),
      p50: rounded(tally.percentile(0.5)),
      p95: rounded(tally.percentile(0.95)),
      p99: rounded(tally.percentile(0.99)),
    },
    serverLatencyMs: {
      avg: answer.avg_latency_ms,
      p95: answer.p95_latency_ms,
      samples: answer.latency_samples,
    },
    compared: rows,
    isEqual,
  };
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : textOf(result));
  process.exitCode = isEqual ? 0 : 1;
}

function textOf({ requests, succeededPercent, perSecond, latencyMs, compared: rows, isEqual }) {
  const { avg, p50, p95, p99 } = latencyMs;
  const lines = [
    `${requests} requests, ${succeededPercent} % succeeded, ${perSecond} a second`,
    `latency: avg ${avg} ms, p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`,
    "",
    `${"".padEnd(20)}${"client".padStart(8)}${"server".padStart(8)}`,
    ...rows.map(
      ({ name, client, server, isEqual: same }) =>
        `${name.padEnd(20)}${String(client).padStart(8)}${String(server).padStart(8)}${same ? "" : "  differs"}`,
    ),
    "",
    isEqual ? "All numbers are equal." : "The numbers differ.",
  ];
  return `${lines.join("\n")}\n`;
}

function rounded(value) {
  return Math.round(value * 10) / 10;
}
