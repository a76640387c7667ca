import { Readable } from "node:stream";
import Fastify, { type FastifyInstance } from "fastify";
import { type Clock, codeOf, messageOf, type NoticeSink } from "../base/index.js";
import { negotiate, writeYielding } from "../metrics/index.js";
import { registerApi } from "./api.js";
import { parseWindowOr } from "./durations.js";
import { NotFoundError, TokenNeededError } from "./errors.js";
import { expositionOf } from "./exposition.js";
import { cookieName, type Guard } from "./guard.js";
import type { LiveHub } from "./live-hub.js";
import { nearestNames } from "./nearest-names.js";
import { measureRequests } from "./own-metrics.js";
import { dashboardHtml, signInHtml } from "./page.js";
import { sendError, statusOf } from "./respond.js";
import type { ServerSource } from "./source.js";
import type { WebFiles } from "./web-files.js";
import type { WireFrame } from "./wire.js";
import { within } from "./within.js";

const limits = {
  /** Nothing but a token is ever sent here. */
  bodyBytes: 16 * 1024,
  headerBytes: 16 * 1024,
  connections: 512,
  /** For the whole request to arrive. */
  requestMs: 10_000,
  keepAliveMs: 30_000,
  /** A store that is slower than this is not ready. */
  readyMs: 2000,
  scrapeMs: 10_000,
  /** For a scraper to take the answer; Prometheus itself waits 10 s, and no longer than its scrape interval. */
  scrapeTakenMs: 60_000,
} as const;

/** Everything from this origin, nothing inline, nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export interface ServerParts {
  readonly source: ServerSource;
  readonly hub: LiveHub;
  readonly guard: Guard;
  readonly web: WebFiles | undefined;
  readonly clock: Clock;
  readonly notices: NoticeSink;
}

/** The HTTP side, not yet listening. */
export function buildServer(parts: ServerParts): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: "idle",
    frameworkErrors: (error, _request, reply) => {
      void sendError(reply, error);
    },
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: limits.requestMs },
  });
  app.server.maxConnections = limits.connections;
  measureRequests(app, parts.source.registry);
  app.addHook("onSend", async (_request, reply) => {
    reply.header("content-security-policy", contentSecurityPolicy);
    reply.header("x-content-type-options", "nosniff");
    // Not no-referrer: the form that signs in would then be sent with the origin "null".
    reply.header("referrer-policy", "same-origin");
    reply.header("cross-origin-resource-policy", "same-origin");
  });
  app.setErrorHandler((error, request, reply) => {
    if (statusOf(error) >= 500)
      parts.notices({
        name: "server.request-failed",
        level: "error",
        message: messageOf(error),
        data: { code: codeOf(error) },
      });
    return sendError(reply, withNearest(error, request.url, parts.source));
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(
      reply,
      new NotFoundError(
        `Cannot answer ${request.method} ${request.url.split("?")[0]}: there is nothing here`,
      ),
    ),
  );
  registerOpen(app, parts);
  void app.register(async (guarded) => {
    guarded.addHook("onRequest", async (request) => {
      const refusal = parts.guard.refusal(request.headers);
      if (refusal !== undefined) throw refusal;
    });
    registerApi(guarded, parts);
    registerScrape(guarded, parts);
  });
  return app;
}

/** What tells nothing about the data: health, the page's files, signing in; and the page, which decides for itself. */
function registerOpen(app: FastifyInstance, { source, guard, web, clock, hub }: ServerParts): void {
  app.get("/healthz", async (_request, reply) => reply.type("application/json").send('{"ok":true}'));
  app.get("/readyz", async (_request, reply) => {
    try {
      await within(clock, limits.readyMs, Promise.all([source.status(), source.sources()]));
      return await reply.type("application/json").send('{"ready":true}');
    } catch (error) {
      reply.code(503).type("application/json");
      return JSON.stringify({ ready: false, code: codeOf(error), message: messageOf(error) });
    }
  });
  for (const [name, file] of web?.assets ?? []) {
    app.get(`/${name}`, async (request, reply) => {
      reply.header("etag", file.etag).header("cache-control", "no-cache");
      if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
      return reply.type(file.type).send(file.bytes);
    });
  }
  app.get("/", async (request, reply) => {
    reply.type("text/html; charset=utf-8").header("cache-control", "no-store");
    const refusal = guard.refusal(request.headers);
    if (refusal instanceof TokenNeededError) return reply.code(401).send(signInHtml(web));
    if (refusal !== undefined) throw refusal;
    const windowText = new URL(request.url, "http://localhost").searchParams.get("window");
    const frame = await hub.snapshot(parseWindowOr(windowText ?? "5m", 300_000));
    return dashboardHtml(web, frame === undefined ? undefined : (JSON.parse(frame.toString()) as WireFrame));
  });
  registerSignIn(app, guard, web);
}

function registerSignIn(app: FastifyInstance, guard: Guard, web: WebFiles | undefined): void {
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    },
  );
  app.post("/session", async (request, reply) => {
    const foreign = guard.originRefusal(request.headers);
    if (foreign !== undefined) throw foreign;
    const { token } = (request.body ?? {}) as { readonly token?: unknown };
    if (typeof token !== "string" || !guard.isToken(token)) {
      if (!request.headers.accept?.includes("text/html")) throw new TokenNeededError();
      return reply.code(401).type("text/html; charset=utf-8").send(signInHtml(web, true));
    }
    reply.header("set-cookie", `${cookieName}=${guard.cookieValue()}; HttpOnly; SameSite=Strict; Path=/`);
    return reply.code(303).header("location", "/").send();
  });
}

function registerScrape(app: FastifyInstance, { source, clock }: ServerParts): void {
  app.get("/metrics", async (request, reply) => {
    const snapshot = await within(clock, limits.scrapeMs, expositionOf(source));
    const format = negotiate(request.headers.accept);
    reply.header("vary", "accept").type(format.contentType);
    // One that takes nothing would keep its snapshot in memory for ever.
    const cancel = clock.after(limits.scrapeTakenMs, () => reply.raw.destroy(), false);
    reply.raw.once("close", cancel);
    return reply.send(Readable.from(writeYielding(format.render(snapshot))));
  });
}

/** Adds the names that were perhaps meant. */
function withNearest(error: unknown, url: string, source: ServerSource): unknown {
  if (codeOf(error) !== "METRIC_UNKNOWN") return error;
  const wanted = new URL(url, "http://localhost").searchParams.get("metric") ?? "";
  const names = source.metrics().map(({ name }) => name);
  const nearest = nearestNames(wanted, names);
  const hint =
    nearest.length > 0
      ? `did you mean ${nearest.join(", ")}?`
      : `there are: ${names.slice(0, 10).join(", ")}`;
  return { code: "METRIC_UNKNOWN", message: messageOf(error), hint };
}
