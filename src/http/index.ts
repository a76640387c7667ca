export type { ErrorClass } from "./error-class.js";
export type { AnswerLike, MessageLike, SocketLike, StreamLike } from "./exchange.js";
export type { ExpressErrorMiddleware, ExpressMiddleware } from "./express.js";
export type { ExpressRequestLike } from "./express-route.js";
export type {
  FastifyHandler,
  FastifyLike,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
} from "./fastify.js";
export type { FrozenNumbers } from "./frozen-numbers.js";
export type { HonoContextLike, HonoMiddleware } from "./hono.js";
export type { MetricsListener, WebContextLike } from "./metrics-handlers.js";
export type { ServerLike } from "./node-http.js";
export type { ServiceOptions } from "./options.js";
export type { Scrape, ScrapeSource } from "./scrape.js";
export { ServiceMetrics, serviceMetrics } from "./service-metrics.js";
export type { StageTimer } from "./stages.js";
