import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { test } from "node:test";
import { until } from "../../test/kit/until.js";
import type { ScrapeSource } from "./index.js";
import { closing, listening, sendAndStay, testService } from "./service.testkit.js";

/** Some 20 MB when written: more than the system takes for a client that does not read. */
const large: ScrapeSource = {
  collect: async () => ({
    atMs: 0,
    isExact: true,
    families: [
      {
        kind: "counter",
        name: "items",
        help: "",
        labelNames: ["item"],
        points: Array.from({ length: 5_000 }, (_, n) => ({
          labels: [`${n}-${"x".repeat(4_000)}`],
          startedMs: 0,
          value: n,
        })),
      },
    ],
  }),
};

test("scrapeJson() gives the event loop turns while it is read", async () => {
  const { body } = await testService().scrapeJson(undefined, large);

  let turns = 0;
  let isRead = false;
  const turn = (): void => {
    turns += 1;
    if (!isRead) setImmediate(turn);
  };
  setImmediate(turn);
  let length = 0;
  for await (const piece of body) length += piece.length;
  isRead = true;

  assert.ok(length > 2e7);
  assert.ok(turns > 1, `${turns} turns`);
});

for (const which of ["metrics", "metricsJson"] as const)
  test(`${which}() holds no more than a client takes, and ends when it leaves`, async (t) => {
    const handler = testService()[which](large);
    let answer: ServerResponse | undefined;
    let isOver = false;
    const server = createServer((message, given) => {
      answer = given;
      handler(message, given).then(() => {
        isOver = true;
      });
    });
    t.after(() => closing(server));
    const port = await listening(server);

    const socket = await sendAndStay(port, "/");
    socket.pause();
    await until("nothing more goes out", () => answer?.writableNeedDrain === true);
    for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(answer!.writableLength < 500_000, `${answer!.writableLength} bytes are held`);
    assert.equal(isOver, false);

    socket.destroy();

    await until("the handler has ended", () => isOver);
  });
