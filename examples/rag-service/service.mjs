import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { serviceMetrics } from "poundlock/http";
import { documents } from "./documents.mjs";
import { generate, spoken } from "./model.mjs";
import { RateLimiter } from "./rate-limiter.mjs";
import { Retriever } from "./retriever.mjs";

/** Answers kept, the oldest go first. */
const answersMax = 100;

/** Longer questions cost more of what a user may ask, in characters. */
const lengthPerToken = 100;

/** A request that can't be answered as it is. */
class RequestError extends Error {
  name = "RequestError";

  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The service: its server, not yet listening, and its metrics. */
export function createService({ registry, perSecond = 50, burst = 9 } = {}) {
  const metrics = serviceMetrics(registry);
  const retriever = new Retriever(documents);
  const limiter = new RateLimiter({ perSecond, burst });
  const answers = new Map();
  const metricsText = metrics.metrics();
  const metricsJson = metrics.metricsJson();

  async function query(message, response) {
    metrics.route("/query");
    const { question, isStreamed } = await questionIn(message);
    const user = message.headers["x-user"] ?? message.socket.remoteAddress;
    if (!limiter.take(user, Math.ceil(question.length / lengthPerToken))) {
      metrics.rateLimited();
      throw new RequestError(429, "E_LIMIT", "too many questions, or too long a one");
    }
    if (question.includes("#busy")) return send(response, 503, { error: { code: "E_BUSY" } });
    if (isStreamed) return await streamed(question, response);
    const cached = answers.get(question);
    if (cached !== undefined) {
      metrics.cacheHit("answers");
      return send(response, 200, { ...cached, isCached: true });
    }
    metrics.cacheMiss("answers");
    const answer = await answered(question);
    remember(question, answer);
    send(response, 200, { ...answer, isCached: false });
  }

  /** A failure goes on as an error, so it is never kept as an answer. */
  async function answered(question) {
    const sources = await metrics.retrieval(() => retriever.find(question, 3));
    return await metrics.generation(async (timer) => {
      const { text, tokens } = await generate(question, sources);
      metrics.tokens(tokens);
      return { answer: text, sources: sources.map(({ document }) => document.id), tookMs: timer.elapsedMs };
    });
  }

  async function streamed(question, response) {
    const sources = await metrics.retrieval(() => retriever.find(question, 3));
    await metrics.generation(async () => {
      const { text } = await generate(question, sources);
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).flushHeaders();
      // An error from here on ends the connection: the client sees that the answer is not whole, and so do the metrics.
      await pipeline(Readable.from(spoken(question, text)), response);
    });
  }

  function remember(question, answer) {
    if (answers.size >= answersMax) answers.delete(answers.keys().next().value);
    answers.set(question, answer);
  }

  function document(id, response) {
    metrics.route("/documents/:id");
    const found = documents.get(id);
    if (found === undefined) throw new RequestError(404, "E_UNKNOWN", "no such document");
    send(response, 200, found);
  }

  async function respond(message, response) {
    const { pathname } = new URL(message.url, "http://service");
    if (pathname === "/metrics") return await metricsText(message, response);
    if (pathname === "/metrics.json") return await metricsJson(message, response);
    if (pathname === "/query" && message.method === "POST") return await query(message, response);
    const id = /^\/documents\/([^/]+)$/.exec(pathname)?.[1];
    if (id !== undefined && message.method === "GET") return document(id, response);
    throw new RequestError(404, "E_UNKNOWN", "no such page");
  }

  const server = createServer((message, response) => {
    respond(message, response).catch((error) => {
      metrics.failed(error);
      // Once the head is sent, the connection says it: pipeline() has ended it.
      if (!response.headersSent)
        send(response, statusOf(error), { error: { code: error.code ?? error.name } });
    });
  });
  server.keepAliveTimeout = 60_000;
  metrics.instrument(server);
  return { server, metrics };
}

function statusOf(error) {
  if (error.name === "TimeoutError") return 504;
  return error.status ?? 502;
}

async function questionIn(message) {
  let text = "";
  for await (const piece of message.setEncoding("utf8")) {
    text += piece;
    if (text.length > 10_000) throw new RequestError(413, "E_LONG", "the question is too long");
  }
  try {
    const { question, stream: isStreamed = false } = JSON.parse(text);
    if (typeof question === "string" && question !== "") return { question, isStreamed };
  } catch {
    // Told below, as a body without a question.
  }
  throw new RequestError(422, "E_QUESTION", "the body has no question");
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
