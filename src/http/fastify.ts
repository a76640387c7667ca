import type { IncomingMessage, ServerResponse } from "node:http";
import { type AnswerLike, type MessageLike, watchExchange } from "./exchange.js";
import type { RequestMeter } from "./request-meter.js";

/** What is looked at of a Fastify request. */
export interface FastifyRequestLike {
  readonly raw: MessageLike;
  readonly routeOptions: { readonly url?: string | undefined };
}

/** What is looked at of a Fastify reply. */
export interface FastifyReplyLike {
  readonly raw: AnswerLike;
}

/** A handler of a Fastify route. */
export type FastifyHandler = (
  request: { readonly raw: IncomingMessage },
  reply: { readonly raw: ServerResponse; hijack(): unknown },
) => Promise<void>;

type Hook = (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void;
type ErrorHook = (
  request: FastifyRequestLike,
  reply: FastifyReplyLike,
  error: unknown,
  done: () => void,
) => void;

/** What is used of a Fastify instance. */
export interface FastifyLike {
  addHook(name: "onRequest", hook: Hook): unknown;
  addHook(name: "onError", hook: ErrorHook): unknown;
}

/** A handler around a request listener that writes the answer itself. */
export function fastifyHandler(
  listener: (message: IncomingMessage, answer: ServerResponse) => Promise<void>,
): FastifyHandler {
  return (request, reply) => {
    reply.hijack();
    return listener(request.raw, reply.raw);
  };
}

/** A plugin for Fastify 5. */
export type FastifyPlugin = (app: FastifyLike, options: unknown, done: () => void) => void;

/** A plugin that counts the requests of the instance it is registered with, wherever among its routes. */
export function fastifyPlugin(meter: RequestMeter): FastifyPlugin {
  const plugin: FastifyPlugin = (app, _options, done) => {
    app.addHook("onRequest", (request, reply, next) => {
      const record = watchExchange(meter, request.raw, reply.raw);
      meter.link(record, request, reply);
      record.route = request.routeOptions.url;
      meter.current.run(record, next);
    });
    app.addHook("onError", (request, _reply, error, next) => {
      meter.recordOf(request)?.fail(error);
      next();
    });
    done();
  };
  // Fastify's sign for a plugin whose hooks are for the instance around it.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
