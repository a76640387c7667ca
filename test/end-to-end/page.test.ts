import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { openServer, type RunningServer, type ServerOptions } from "../../src/server/index.js";
import { launchChromium, liveText, openPage, whenLive } from "../kit/browser.js";
import { FakeSource } from "../kit/fake-source.js";
import { madeUpLetter, madeUpRequest, seededRandom } from "../kit/feed.js";
import { chartColours, contrastOf, meaningOf, weakTexts } from "../kit/page-colours.js";
import { until } from "../kit/until.js";

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

interface Setup extends AsyncDisposable {
  readonly source: FakeSource;
  server: RunningServer;
}

/** A server over made-up data of the last minutes, with a gap and two dead letters. */
async function setUp(options: Partial<ServerOptions> = {}): Promise<Setup> {
  const source = new FakeSource(Date.now());
  const random = seededRandom(11);
  const times = Array.from({ length: 3000 }, (_, i) => source.nowMs - 280_000 + i * 93);
  source.settle(
    times
      .filter((timeMs) => Math.abs(source.nowMs - 150_000 - timeMs) > 12_000)
      .map((timeMs) => madeUpRequest(timeMs, random)),
  );
  source.bury(madeUpLetter(1, source.nowMs - 9000, '{"ts":"2026-01-02","route":"/api'));
  source.bury({
    ...madeUpLetter(2, source.nowMs - 2000, ""),
    bytes: Buffer.from("caf\xe9\t\x00\n", "latin1"),
    newestError: "Cannot read line: not UTF-8",
  });
  source.files = [
    {
      name: "app",
      files: [
        {
          file: "f1",
          path: "/var/log/shop/app.jsonl",
          size: 9000,
          offset: 5000,
          lagBytes: 4000,
          state: "following",
          lastGrowthMs: source.nowMs - 1000,
        },
      ],
    },
  ];
  const set: Setup = {
    source,
    server: await openServer({ source, port: 0, ...options }),
    [Symbol.asyncDispose]: () => set.server.close(),
  };
  return set;
}

test("the page works without script: the numbers are in its HTML", async () => {
  await using set = await setUp();

  await using opened = await openPage(browser, set.server.url, { javaScriptEnabled: false });

  const text = await opened.page.locator("main").innerText();
  assert.match(text, /accepted/);
  assert.match(text, new RegExp(`app\\s+${(set.source.events.length + 2).toLocaleString("en")}`));
  assert.match(text, /\/api\/orders · 200/);
  assert.deepEqual(opened.complaints, []);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`text and lines can be told from their background in ${colorScheme}, also in the chart`, async () => {
    await using set = await setUp();
    await using opened = await openPage(browser, set.server.url, { colorScheme, reducedMotion: "reduce" });
    const { page } = opened;
    await whenLive(page);

    const { weak, count } = await weakTexts(page);
    assert.deepEqual(weak, []);
    assert.ok(count > 60, `${count} texts looked at`);
    for (const name of ["--series-0", "--series-1", "--series-2", "--series-3"]) {
      const ratio = await contrastOf(page, name);
      assert.ok(ratio >= 3, `${name} ${ratio}`);
    }
    const seen = await chartColours(page, "latency");
    const expected = await meaningOf(page, "--series-0");
    assert.ok(seen.has(expected), `the canvas has ${expected}`);
    assert.deepEqual(opened.complaints, []);
  });
}

test("charts follow when the system changes between light and dark", async () => {
  await using set = await setUp();
  await using opened = await openPage(browser, set.server.url, { colorScheme: "light" });
  const { page } = opened;
  await whenLive(page);
  const light = await meaningOf(page, "--series-0");
  assert.ok((await chartColours(page, "latency")).has(light));

  await page.emulateMedia({ colorScheme: "dark" });

  const dark = await meaningOf(page, "--series-0");
  assert.notEqual(dark, light);
  await until("the canvas is dark", async () => (await chartColours(page, "latency")).has(dark));
  assert.ok(!(await chartColours(page, "latency")).has(light), "nothing light is left");
});

test("nothing sticks out sideways at 320, 800 and 1280 pixels", async () => {
  await using set = await setUp();
  for (const width of [320, 800, 1280]) {
    await using opened = await openPage(browser, set.server.url, { viewport: { width, height: 800 } });
    await whenLive(opened.page);

    const sticksOut = await opened.page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );

    assert.equal(sticksOut, 0, `${width} pixels`);
  }
});

test("long names of groups are cut to three lines, and the choice of a window stands on one", async () => {
  await using set = await setUp();
  const route = `/${"very-long-name-".repeat(40)}`;
  set.source.settle(
    Array.from({ length: 900 }, () => ({ timeMs: set.source.nowMs, route, status: "200", durationMs: 5 })),
  );
  for (const width of [390, 1280]) {
    await using opened = await openPage(browser, set.server.url, { viewport: { width, height: 800 } });
    const { page } = opened;
    const name = page.locator('[data-metric="latency"] .groups th[scope="row"]', { hasText: route });
    await name.waitFor();

    const heights = await page
      .locator(".windows span")
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    const nameBox = await name.boundingBox();
    const legendBox = await page.locator('[data-metric="requests"] .legend').boundingBox();

    assert.ok(Math.max(...heights) < 34, `${width} pixels: ${heights}`);
    assert.ok(nameBox!.height < 100, `${width} pixels: ${nameBox!.height}`);
    assert.ok(legendBox!.height < 120, `${width} pixels: ${legendBox!.height}`);
    assert.equal(await name.getAttribute("title"), route);
  }
});

test("everything can be reached and done by keyboard alone", async () => {
  await using set = await setUp();
  await using opened = await openPage(browser, set.server.url);
  const { page } = opened;
  await whenLive(page);
  const focused = (): Promise<string> =>
    page.evaluate(
      "document.activeElement?.innerText?.trim() || document.activeElement?.ariaLabel || ''",
    ) as Promise<string>;

  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog[open]").getByText("go to the dead letters").isVisible());
  await page.keyboard.press("Escape");
  await page.keyboard.press("5");
  await page.locator("article[data-metric=requests] .card-span", { hasText: "all time" }).waitFor();
  assert.match(page.url(), /window=all/);
  assert.equal(
    await page.locator("article[data-metric=requests] .card-number").innerText(),
    set.source.events.length.toLocaleString("en"),
  );

  await page.keyboard.press("d");
  assert.equal(await focused(), "What could not be processed?");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const dialog = page.locator("dialog.letter[open]");
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /caf\\xe9\\t\\0\\n/);
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "parse", "the focus is back where it was");

  await page.keyboard.press("m");
  for (let i = 0; i < 40 && !(await focused()).startsWith("latency: arrow keys"); i += 1)
    await page.keyboard.press("Tab");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const reading = await page.locator("article[data-metric=latency] .reading").innerText();
  assert.match(reading, /^\d\d:\d\d:\d\d +p50 \S+.* p95 .* p99 /);
  for (let i = 0; i < 10 && (await focused()) !== "p99"; i += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const values = await page.locator("article[data-metric=latency] tbody td:last-child").allInnerTexts();
  const numbers = values.slice(-5).map((text) => Number.parseFloat(text.replace(",", "")));
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => b - a),
  );
  assert.deepEqual(opened.complaints, []);
});

test("a chart has a name and a table that says the same, gaps included", async () => {
  await using set = await setUp();
  await using opened = await openPage(browser, set.server.url);
  const { page } = opened;
  await whenLive(page);

  const figure = page.getByRole("figure", { name: /latency percentiles per 5 s, 5m\b/ });
  await figure.waitFor();
  const details = page.locator(`#${await figure.getAttribute("aria-details")}`);
  await details.locator("summary").click();
  const rows = await details.locator("tbody tr").allInnerTexts();

  assert.ok(rows.length >= 55 && rows.length <= 60, `${rows.length} rows`);
  assert.ok(
    rows.some((row) => /–\s+–\s+–/.test(row)),
    "the gap is a gap",
  );
  assert.ok(rows.some((row) => /\d+(\.\d+)? ms/.test(row)));
});

test("the page says within 4 s that it is no longer live, why, and is live again when the server is back", async () => {
  await using set = await setUp();
  await using opened = await openPage(browser, set.server.url);
  const { page } = opened;
  await whenLive(page);
  assert.match(await liveText(page), /^live · \d\.\d s ago$/);

  await set.server.close();
  await page.locator('.live[data-live="stale"]').waitFor({ timeout: 4000 });
  assert.match(await liveText(page), /^Reconnecting; showing \d\d:\d\d:\d\d · the server was stopped$/);
  set.source.generation = "g2";
  set.source.settle([madeUpRequest(Date.now(), seededRandom(1))]);
  set.server = await openServer({ source: set.source, port: set.server.port });

  await whenLive(page);
  await page
    .locator(`[data-term=settled] b:text-is("${set.source.events.length.toLocaleString("en")}")`)
    .waitFor();
});

test("the page asks every 5 s where no WebSocket comes through, and says so", async () => {
  await using set = await setUp();
  await using opened = await openPage(browser, `${set.server.url}healthz`);
  const { page } = opened;
  await page.routeWebSocket(/\/ws/, (socket) => socket.close({ code: 1011 }));
  await page.goto(set.server.url);
  set.source.settle([madeUpRequest(Date.now(), seededRandom(2))]);

  await page.locator('.live[data-live="polling"]').waitFor({ timeout: 8000 });

  assert.match(
    await liveText(page),
    /every 5 s · .* \(no WebSocket to the server; is a proxy in between\?\)/,
  );
  await page
    .locator(`[data-term=settled] b:text-is("${set.source.events.length.toLocaleString("en")}")`)
    .waitFor();
});

test("a link with the token signs in and leaves no token in the address", async () => {
  const token = "0123456789abcdef";
  await using set = await setUp({ host: "0.0.0.0", token });
  await using opened = await openPage(browser, set.server.url);
  const { page } = opened;
  assert.equal(await page.getByLabel("Token of this server").count(), 1);

  await page.goto("about:blank");
  await page.goto(`${set.server.url}#token=${token}`);

  await whenLive(page);
  assert.equal(page.url(), set.server.url);
});

test("an empty server says what to do", async () => {
  await using set = await setUp();
  set.source.events.length = 0;
  set.source.letters.length = 0;
  set.source.files = [];

  await using opened = await openPage(browser, set.server.url);
  await whenLive(opened.page);

  const text = await opened.page.locator("main").innerText();
  for (const part of [
    "No event yet",
    "No source yet. Start with poundlock FILE",
    "No file is followed",
    "No dead letters",
  ])
    assert.ok(text.includes(part), part);
  assert.deepEqual(opened.complaints, []);
});

test("a wrong token leads back to the form, which says so", async () => {
  await using set = await setUp({ host: "0.0.0.0", token: "0123456789abcdef" });
  await using opened = await openPage(browser, set.server.url);
  const { page } = opened;

  await page.getByLabel("Token of this server").fill("0123456789abcdeX");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "That is not the token" }).waitFor();
  await page.getByLabel("Token of this server").fill("0123456789abcdef");
  await page.keyboard.press("Enter");

  await whenLive(page);
});
