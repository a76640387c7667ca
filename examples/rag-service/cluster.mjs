// The service in several processes that share a port: node cluster.mjs [PORT] [WORKERS]
// The primary answers no questions. It gathers the numbers of all, and serves them on a port of its own.
import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { serviceMetrics } from "poundlock/http";
import { gatherProcesses, openRegistry, reportTo } from "poundlock/metrics";
import { createService } from "./service.mjs";

const [port = "0", workers = "2"] = process.argv.slice(2);
const registry = openRegistry();

if (cluster.isPrimary) await gather();
else work();

async function gather() {
  const processes = gatherProcesses(registry);
  const service = serviceMetrics(registry);
  const metrics = createServer(service.metricsJson(processes)).listen(0, "127.0.0.1");
  const started = Array.from({ length: Number(workers) }, () => cluster.fork());
  const [addresses] = await Promise.all([
    Promise.all(started.map((worker) => once(worker, "listening"))),
    once(metrics, "listening"),
  ]);
  const url = `http://127.0.0.1:${addresses[0][0].port}`;
  console.log(JSON.stringify({ url, metricsUrl: `http://127.0.0.1:${metrics.address().port}/metrics.json` }));
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    metrics.close();
    metrics.closeAllConnections();
    processes.close();
  });
}

function work() {
  reportTo(process, registry);
  const { server } = createService({ registry });
  server.listen(Number(port), "127.0.0.1");
}
