import { type AnswerLike, type MessageLike, watchExchange } from "./exchange.js";
import type { RequestMeter, RequestRecord } from "./request-meter.js";

/** What is looked at of a Hono context. */
export interface HonoContextLike {
  readonly req: {
    readonly method: string;
    readonly routeIndex: number;
    readonly matchedRoutes: readonly { readonly method: string; readonly path: string }[];
  };
  readonly res: { readonly status: number };
  /** Whether there is an answer: to look at `res` makes an empty one. */
  readonly finalized: boolean;
  readonly error: Error | undefined;
  readonly env: unknown;
}

/** A middleware of Hono 4. */
export type HonoMiddleware = (context: HonoContextLike, next: () => Promise<void>) => Promise<void>;

/**
 * A middleware that counts the requests that come by: to be used first, on `*`. With `@hono/node-server` a request lasts until its answer
 * was handed over; elsewhere, until the handlers have answered.
 */
export function honoMiddleware(meter: RequestMeter): HonoMiddleware {
  return async (context, next) => {
    const node = nodeExchange(context.env);
    const record =
      node === undefined
        ? meter.start(context.req.method, "http")
        : watchExchange(meter, node.incoming, node.outgoing);
    meter.link(record, context, context.req);
    record.routeSoFar = () => routeOf(context);
    try {
      await meter.current.run(record, next);
    } catch (error) {
      record.fail(error);
      throw error;
    } finally {
      if (context.error !== undefined) record.fail(context.error);
      if (node === undefined) meter.end(record, { status: statusOf(context, record), end: "complete" });
    }
  };
}

/** The route that answers. When none does, the last one asked is a middleware: on every method, and for everything below a path. */
function routeOf(context: HonoContextLike): string | undefined {
  const { matchedRoutes, routeIndex } = context.req;
  const route = matchedRoutes[routeIndex];
  if (route === undefined) return undefined;
  const isForAll = route.method === "ALL" && route.path.endsWith("*");
  return isForAll && (!context.finalized || context.res.status === 404) ? undefined : route.path;
}

function statusOf(context: HonoContextLike, record: RequestRecord): number {
  return record.error === undefined || context.error !== undefined ? context.res.status : 500;
}

function nodeExchange(env: unknown): { incoming: MessageLike; outgoing: AnswerLike } | undefined {
  if (typeof env !== "object" || env === null || !("incoming" in env) || !("outgoing" in env))
    return undefined;
  return env as { incoming: MessageLike; outgoing: AnswerLike };
}
