// The service in one process: node server.mjs [PORT]
import { openRegistry, processMetrics } from "poundlock/metrics";
import { createService } from "./service.mjs";

const registry = openRegistry();
processMetrics(registry);
const { server } = createService({ registry });
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ url, metricsUrl: `${url}/metrics.json` }));
});
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
