import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium, liveText, openPage, whenLive } from "../kit/browser.js";
import type { FakeEvent } from "../kit/fake-source.js";
import { madeUpRequest, seededRandom } from "../kit/feed.js";
import { until } from "../kit/until.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const seed = Number(process.env.POUNDLOCK_SEED ?? 42);
/** Histogram's bound, and what showing four significant digits adds. */
const relativeErrorMax = 0.0108 + 0.0005;

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

interface Running {
  readonly url: string;
  readonly port: number;
  kill(): Promise<void>;
}

interface Setup extends AsyncDisposable {
  readonly file: string;
  start(port?: number): Promise<Running>;
}

async function setUp(): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-dashboard-"));
  const file = join(folder, "app.jsonl");
  const children: ChildProcess[] = [];
  await writeFile(file, "");
  await writeFile(
    join(folder, "poundlock.yaml"),
    `version: 1
sources:
  app: { type: file, path: ./app.jsonl, format: json, time: ts }
store: { type: memory }
metrics:
  requests: { kind: count, by: [status] }
  latency: { kind: distribution, value: duration_ms, unit: ms, by: [route] }
  errors: { kind: ratio, of: requests, where: 'status == "500"' }
`,
  );
  const start = async (port = 0): Promise<Running> => {
    const child = spawn(
      process.execPath,
      [join(root, "bin/poundlock.js"), "up", "--port", String(port), "--json"],
      {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    children.push(child);
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    const exited = once(child, "exit").then(() => assert.fail(`poundlock up ended: ${errors}`));
    const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), exited])) as string[];
    exited.catch(() => {});
    const { url, port: listening } = JSON.parse(line!) as { url: string; port: number };
    return {
      url,
      port: listening,
      kill: async () => {
        child.kill("SIGKILL");
        await once(child, "exit");
      },
    };
  };
  return {
    file,
    start,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(
        children.map((child) => (child.exitCode ?? child.signalCode) === null && once(child, "exit")),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function lineOf({ timeMs, route, status, durationMs }: FakeEvent): string {
  return `${JSON.stringify({ ts: new Date(timeMs).toISOString(), route, status, duration_ms: durationMs })}\n`;
}

/** 1,000 requests of the last four and a half minutes. */
function knownEvents(): FakeEvent[] {
  const random = seededRandom(seed);
  const endMs = Date.now() - 2000;
  return Array.from({ length: 1000 }, (_, i) => madeUpRequest(endMs - (999 - i) * 270, random));
}

/** By nearest rank, from all values. */
function quantileOf(events: readonly FakeEvent[], q: number): number {
  const sorted = events.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1]!;
}

function countBy(events: readonly FakeEvent[], keyOf: (event: FakeEvent) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(keyOf(event), (counts.get(keyOf(event)) ?? 0) + 1);
  return counts;
}

function numberIn(text: string): number {
  return Number.parseFloat(text.replaceAll(",", ""));
}

async function term(page: Page, name: string): Promise<number> {
  return numberIn(await page.locator(`[data-term=${name}] b`).innerText());
}

/** The rows of a metric's groups: name to its cells. */
async function groupsOf(page: Page, metric: string): Promise<Map<string, number[]>> {
  const rows = await page.locator(`article[data-metric=${metric}] table.groups tbody tr`).allInnerTexts();
  return new Map(
    rows.map((row) => {
      const [name, ...cells] = row
        .split(/[\t\n]+/)
        .map((cell) => cell.trim())
        .filter((cell) => cell !== "");
      return [name!, cells.map(numberIn)];
    }),
  );
}

async function assertPageShows(page: Page, events: readonly FakeEvent[], dead: number): Promise<void> {
  await page
    .locator(`[data-term=accepted] b:text-is("${(events.length + dead).toLocaleString("en")}")`)
    .waitFor();
  await until(
    "the numbers of the last event are there",
    async () => (await groupsOf(page, "latency")).size === new Set(events.map(({ route }) => route)).size,
  );
  await page
    .locator(`article[data-metric=requests] .card-number:text-is("${events.length.toLocaleString("en")}")`)
    .waitFor();
  for (const [name, expected] of Object.entries({
    settled: events.length,
    dead,
    waiting: 0,
    dropped: 0,
    duplicate: 0,
    lost: 0,
  }))
    assert.equal(await term(page, name), expected, name);
  assert.equal(await page.locator(".verdict").innerText(), "✓ Balances: unaccounted 0");
  const byStatus = await groupsOf(page, "requests");
  assert.deepEqual(
    [...byStatus].map(([status, [count]]) => [status, count]).sort(),
    [...countBy(events, ({ status }) => status)].sort(),
  );
  const shown = numberIn(await page.locator("article[data-metric=latency] .card-number").innerText());
  assertNear(shown, quantileOf(events, 0.95), "p95 over all");
  for (const [route, [n, p50, p95, p99]] of await groupsOf(page, "latency")) {
    const own = events.filter((event) => event.route === route);
    assert.equal(n, own.length, route);
    assertNear(p50!, quantileOf(own, 0.5), `${route} p50`);
    assertNear(p95!, quantileOf(own, 0.95), `${route} p95`);
    assertNear(p99!, quantileOf(own, 0.99), `${route} p99`);
  }
}

function assertNear(actual: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= relativeErrorMax * expected,
    `${what}: ${actual}, expected ${expected} (seed ${seed})`,
  );
}

test("1,000 events appended to a watched file are on the page, exactly; light and dark, without a complaint", async () => {
  await using set = await setUp();
  const server = await set.start();
  await using light = await openPage(browser, `${server.url}?window=all`, { colorScheme: "light" });
  await using dark = await openPage(browser, `${server.url}?window=all`, { colorScheme: "dark" });
  await whenLive(light.page);
  const events = knownEvents();

  for (let at = 0; at < events.length; at += 125) {
    const broken = at % 250 === 0 ? '{"ts":"2026-01-02T12:00:00Z","route":\n' : "";
    await appendFile(
      set.file,
      events
        .slice(at, at + 125)
        .map(lineOf)
        .join("") + broken,
    );
  }

  await assertPageShows(light.page, events, 4);
  await assertPageShows(dark.page, events, 4);
  await light.page.reload();
  await assertPageShows(light.page, events, 4);
  assert.equal(await light.page.locator("table.letters tbody tr").count(), 4);
  await light.page.locator("table.letters tbody button").first().click();
  assert.match(
    await light.page.locator("dialog.letter[open] pre").innerText(),
    /^\{"ts":"2026-01-02T12:00:00Z","route":\s*\^?$/,
  );
  await light.page.keyboard.press("Escape");
  assert.deepEqual([...light.complaints, ...dark.complaints], []);
  if (process.env.POUNDLOCK_SCREENSHOTS === "1") await takePictures(set.file, light.page, dark.page);
});

/** The README's pictures: a busy file, watched for a while. */
async function takePictures(file: string, light: Page, dark: Page): Promise<void> {
  await mkdir(join(root, "docs/images"), { recursive: true });
  const random = seededRandom(seed);
  const startMs = Date.now();
  const earlier = Array.from({ length: 30_000 }, (_, i) =>
    madeUpRequest(startMs - (30_000 - i) * 9.8, random),
  );
  await appendFile(file, earlier.map(lineOf).join(""));
  for (const [page, colorScheme] of [
    [light, "light"],
    [dark, "dark"],
  ] as const) {
    await page.setViewportSize({ width: 1280, height: 1240 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.keyboard.press("2");
  }
  let written = 0;
  await until(
    "there was time for lines in the tiles",
    async () => {
      const due = Math.floor(((Date.now() - startMs) / 1000) * 100) - written;
      written += due;
      await appendFile(
        file,
        Array.from({ length: due }, () => lineOf(madeUpRequest(Date.now(), random))).join(""),
      );
      return Date.now() - startMs > 25_000;
    },
    60_000,
  );
  for (const [name, page] of [
    ["light", light],
    ["dark", dark],
  ] as const) {
    await page.evaluate("window.scrollTo(0, 0)");
    await page.screenshot({ path: join(root, `docs/images/dashboard-${name}.png`) });
  }
}

test("the page changes soon after a line is appended", async (context: TestContext) => {
  await using set = await setUp();
  const server = await set.start();
  await using opened = await openPage(browser, `${server.url}?window=all`);
  const { page } = opened;
  await whenLive(page);
  const random = seededRandom(seed);
  await appendFile(set.file, lineOf(madeUpRequest(Date.now(), random)));
  await page.locator('[data-term=accepted] b:text-is("1")').waitFor();
  await page.evaluate(`window.seenMs = {};
    const number = document.querySelector("[data-term=accepted] b");
    new MutationObserver(() => { window.seenMs[number.textContent] ??= Date.now(); }).observe(number, { childList: true, characterData: true, subtree: true });`);

  const delaysMs: number[] = [];
  for (let count = 2; count <= 11; count += 1) {
    const appendedMs = Date.now();
    await appendFile(set.file, lineOf(madeUpRequest(appendedMs, random)));
    const seenMs = await until(
      "the page shows the line",
      async () => ((await page.evaluate("window.seenMs")) as Record<string, number>)[count],
    );
    delaysMs.push(seenMs - appendedMs);
  }

  const sorted = delaysMs.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  context.diagnostic(`append to page: median ${median} ms, slowest ${sorted.at(-1)} ms of ${sorted.length}`);
  // 250 ms is what a calm machine keeps; this one may be running every other test at the same time.
  assert.ok(median < 1500, `median ${median} ms`);
});

test("killed with SIGKILL, the server is missed within 4 s; back on its port, the page is live with the right numbers", async () => {
  await using set = await setUp();
  const server = await set.start();
  await using opened = await openPage(browser, `${server.url}?window=all`);
  const { page } = opened;
  await whenLive(page);
  const events = knownEvents();
  await appendFile(set.file, events.slice(0, 500).map(lineOf).join(""));
  await assertPageShows(page, events.slice(0, 500), 0);

  await server.kill();
  await page.locator('.live[data-live="stale"]').waitFor({ timeout: 4000 });
  assert.match(await liveText(page), /^Reconnecting; showing \d\d:\d\d:\d\d · the connection was lost$/);
  assert.equal(await term(page, "accepted"), 500, "what was known stays");
  await appendFile(set.file, events.slice(500).map(lineOf).join(""));
  await set.start(server.port);

  await whenLive(page);
  await assertPageShows(page, events, 0);
});
