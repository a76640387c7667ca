import { type AnswerLike, type MessageLike, watchExchange } from "./exchange.js";
import { type ExpressRequestLike, watchRoute } from "./express-route.js";
import type { RequestMeter } from "./request-meter.js";

/** A middleware of Express 4 and 5. */
export type ExpressMiddleware = (
  request: MessageLike & ExpressRequestLike,
  answer: AnswerLike,
  next: (error?: unknown) => void,
) => void;

/** A middleware for errors of Express 4 and 5, which knows one by its four parameters. */
export type ExpressErrorMiddleware = (
  error: unknown,
  request: MessageLike,
  answer: AnswerLike,
  next: (error?: unknown) => void,
) => void;

/** Counts the requests that come by: to be used first. */
export function expressMiddleware(meter: RequestMeter): ExpressMiddleware {
  return (request, answer, next) => {
    const record = watchExchange(meter, request, answer);
    watchRoute(request, (template) => {
      record.route = template;
    });
    meter.current.run(record, next);
  };
}

/** Sees the errors that come by, and hands them on: to be used after the routes, before who answers errors. */
export function expressErrorMiddleware(meter: RequestMeter): ExpressErrorMiddleware {
  return (error, request, _answer, next) => {
    meter.recordOf(request)?.fail(error);
    next(error);
  };
}
