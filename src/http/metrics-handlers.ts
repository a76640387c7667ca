import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestMeter } from "./request-meter.js";
import type { Scrape } from "./scrape.js";

/** What makes a scrape's answer. */
export type ScrapeMaker = (accept: string | undefined, signal: AbortSignal) => Promise<Scrape>;

/** A request listener of node:http that answers with the metrics; Express takes it as a handler. */
export type MetricsListener = (message: IncomingMessage, answer: ServerResponse) => Promise<void>;

/** What is looked at of a Hono context, or of anything that speaks of requests as the web does. */
export interface WebContextLike {
  readonly req: { readonly raw: Request };
}

export function metricsListener(
  make: ScrapeMaker,
  leaveOut: ((request: object) => void) | undefined,
): MetricsListener {
  return async (message, answer) => {
    leaveOut?.(message);
    if (message.method !== "GET" && message.method !== "HEAD") {
      answer.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const gone = new AbortController();
    answer.once("close", () => gone.abort());
    try {
      const { contentType, body } = await make(message.headers.accept, gone.signal);
      answer.writeHead(200, { "content-type": contentType, "cache-control": "no-store" });
      if (message.method === "HEAD") await body.return();
      else await send(body, answer, gone.signal);
      answer.end();
    } catch (error) {
      // Whoever asked is gone, and with them the reason to go on.
      if (gone.signal.aborted) return;
      if (answer.headersSent) answer.destroy(error as Error);
      else
        answer
          .writeHead(500, { "content-type": "text/plain; charset=utf-8" })
          .end("Cannot read the metrics\n");
    }
  };
}

async function send(body: Scrape["body"], answer: ServerResponse, signal: AbortSignal): Promise<void> {
  for await (const piece of body) if (!answer.write(piece)) await drained(answer, signal);
}

function drained(answer: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const settle = (run: () => void) => (): void => {
      answer.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      run();
    };
    const onDrain = settle(resolve);
    const onAbort = settle(() => reject(signal.reason));
    answer.once("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** A handler of Hono that answers with the metrics. */
export function webMetricsHandler(
  make: ScrapeMaker,
  leaveOut: ((request: object) => void) | undefined,
): (context: WebContextLike) => Promise<Response> {
  const encoder = new TextEncoder();
  return async (context) => {
    leaveOut?.(context);
    const { raw } = context.req;
    const { contentType, body } = await make(raw.headers.get("accept") ?? undefined, raw.signal);
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await body.next();
        if (done === true) controller.close();
        else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
      },
      async cancel() {
        await body.return();
      },
    });
    return new Response(stream, { headers: { "content-type": contentType, "cache-control": "no-store" } });
  };
}

/** Takes the request that asks for the metrics out of the requests that are counted. */
export function leaveOutOf(meter: RequestMeter): (request: object) => void {
  return (request) => {
    const record = meter.recordOf(request) ?? meter.recordOf();
    if (record !== undefined) meter.forget(record);
  };
}
