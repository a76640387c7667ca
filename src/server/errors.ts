import { PoundlockError } from "../base/index.js";

/** A request asks for something in a form that is not understood. */
export class QueryError extends PoundlockError {
  readonly code = "QUERY_INVALID";
}

/** What arrived is no request that can be answered: its address, headers, body or type. */
export class RequestError extends PoundlockError {
  readonly code = "HTTP_REQUEST_INVALID";
  readonly statusCode: number;

  constructor(message: string, statusCode: number, cause: unknown) {
    super(`Cannot take the request: ${message}`, { cause });
    this.statusCode = statusCode;
  }
}

/** A request names something that is not there. */
export class NotFoundError extends PoundlockError {
  readonly code = "HTTP_NOT_FOUND";
}

/** A request came under a host name that this server does not answer to, as after DNS rebinding. */
export class HostRefusedError extends PoundlockError {
  readonly code = "HTTP_HOST_REFUSED";

  constructor(host: string) {
    super(`Cannot answer: the request was sent to host "${host}"`, {
      hint: "use http://127.0.0.1 or localhost, add the name to server.allowedHosts, or send the token",
    });
  }
}

/** A page of another origin made the request. */
export class OriginRefusedError extends PoundlockError {
  readonly code = "HTTP_ORIGIN_REFUSED";

  constructor(origin: string) {
    super(`Cannot answer: the request comes from a page of ${origin}`, {
      hint: "open the dashboard of this server itself, or add the page's host to server.allowedHosts",
    });
  }
}

/** A request needs the server's token and has none, or another. */
export class TokenNeededError extends PoundlockError {
  readonly code = "HTTP_TOKEN_NEEDED";

  constructor() {
    super("Cannot answer: the request has no valid token", {
      hint: "send `Authorization: Bearer TOKEN`, or sign in on the dashboard",
    });
  }
}

/** The server was asked to listen beyond this machine without a token to protect it. */
export class TokenMissingError extends PoundlockError {
  readonly code = "SERVER_TOKEN_MISSING";

  constructor(host: string, tokenLengthMin: number) {
    super(`Cannot listen on ${host}: beyond this machine the server needs a token`, {
      hint: `set server.token in the configuration, at least ${tokenLengthMin} characters, or listen on 127.0.0.1`,
    });
  }
}

/** The address can't be listened on. */
export class ListenError extends PoundlockError {
  readonly code = "SERVER_LISTEN_FAILED";
}

/** The server has too much to do for this request, or the store does not answer in time. */
export class BusyError extends PoundlockError {
  readonly code = "HTTP_BUSY";
  override readonly retryable = true;
}
