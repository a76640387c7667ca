import { openServer } from "../../src/server/index.js";
import { FakeSource } from "./fake-source.js";
import { madeUpLetter, madeUpRequest, seededRandom } from "./feed.js";

// Serves the dashboard with made-up data, to look at it while working on it: node dist/test/kit/serve-fake.js [PORT]
const random = seededRandom(4);
const source = new FakeSource(Date.now());
const perSecond = 40;
const history = Array.from(
  { length: 400 * perSecond },
  (_, i) => source.nowMs - (400 * 1000 * (400 * perSecond - i)) / (400 * perSecond),
);
source.settle(
  history.filter((timeMs) => timeMs % 200_000 > 9000).map((timeMs) => madeUpRequest(timeMs, random)),
);
source.bury(
  madeUpLetter(
    1,
    source.nowMs - 180_000,
    '{"ts":"2026-01-02T12:00:00Z","route":"/api/orders","duration_ms":41',
  ),
);
source.bury(
  madeUpLetter(2, source.nowMs - 40_000, '{"ts":"yesterday","route":"/health","duration_ms":2}', "time"),
);
const file = { file: "f1", path: "/var/log/shop/app.jsonl", state: "following" as const };
const older = { ...file, file: "f0", path: "/var/log/shop/app.jsonl.1", state: "draining" as const };
const size = source.events.length * 96;
setInterval(() => {
  source.nowMs = Date.now();
  const count = Math.round((perSecond / 10) * (0.6 + random() * 0.8));
  source.files = [
    {
      name: "app",
      files: [
        {
          ...file,
          size: size + 4096,
          offset: size,
          lagBytes: random() < 0.7 ? 0 : 4096,
          lastGrowthMs: source.nowMs - 300,
        },
        {
          ...older,
          size: 52_428_800,
          offset: 52_428_800,
          lagBytes: 0,
          lastGrowthMs: source.nowMs - 3_600_000,
        },
      ],
    },
  ];
  source.settle(Array.from({ length: count }, () => madeUpRequest(source.nowMs, random)));
}, 100);
const server = await openServer({ source, port: Number(process.argv[2] ?? 4600) });
process.stdout.write(`${server.url}\n`);
