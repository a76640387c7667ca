import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The system's Chromium; the tests bring none of their own. @throws when it is not installed */
export async function launchChromium(): Promise<Browser> {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    existsSync,
  );
  assert.ok(
    executablePath !== undefined,
    "Chromium is missing: install the Debian packages chromium and fonts-dejavu-core",
  );
  return chromium.launch({ executablePath });
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the console said, what was thrown, and what was asked of other origins; a good page leaves it empty. */
  readonly complaints: string[];
}

/** A page in a context of its own that notes everything it should not do. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin)
      complaints.push(`asked of another origin: ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== new URL(url).host)
      complaints.push(`WebSocket to another origin: ${socket.url()}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** The state in the header, as a person reads it. */
export async function liveText(page: Page): Promise<string> {
  return (await page.locator(".live").innerText()).replace(/\s+/g, " ");
}

export async function whenLive(page: Page): Promise<void> {
  await page.locator('.live[data-live="live"]').waitFor();
}
