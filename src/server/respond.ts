import type { FastifyReply } from "fastify";
import { codeOf, messageOf, PoundlockError } from "../base/index.js";
import { RequestError } from "./errors.js";

/** What a caller gets instead of an answer. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

const statusByCode: Readonly<Record<string, number>> = {
  QUERY_INVALID: 400,
  HTTP_TOKEN_NEEDED: 401,
  HTTP_HOST_REFUSED: 403,
  HTTP_ORIGIN_REFUSED: 403,
  METRIC_UNKNOWN: 404,
  HTTP_NOT_FOUND: 404,
};

/** HTTP status of an error: by its code, by what Fastify gave it, 503 when trying again may help, else 500. */
export function statusOf(error: unknown): number {
  const known = statusByCode[codeOf(error)];
  if (known !== undefined) return known;
  const { statusCode } = error as { readonly statusCode?: unknown };
  if (typeof statusCode === "number" && statusCode >= 400) return statusCode;
  return error instanceof PoundlockError && error.retryable ? 503 : 500;
}

/** The web framework's own refusals under a code of ours, which is documented and stays. */
export function ownError(error: unknown): unknown {
  if (!codeOf(error).startsWith("FST_")) return error;
  return new RequestError(messageOf(error), statusOf(error), error);
}

export function errorBody(error: unknown): ErrorBody {
  const { hint } = error as { readonly hint?: unknown };
  return {
    error: {
      code: codeOf(error),
      message: messageOf(error),
      ...(typeof hint === "string" ? { hint } : {}),
    },
  };
}

export function sendError(reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = ownError(thrown);
  const status = statusOf(error);
  if (status === 503) reply.header("retry-after", "1");
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="poundlock"');
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(errorBody(error)));
}
