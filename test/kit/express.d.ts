/** The part of Express 4 and 5 that the tests use; neither has types of its own. */
declare module "express" {
  import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

  export type Next = (error?: unknown) => void;

  export interface Request extends IncomingMessage {
    readonly params: Record<string, string>;
    baseUrl: string;
    route?: { readonly path?: unknown };
    readonly body?: unknown;
  }

  export interface Response extends ServerResponse {
    status(code: number): this;
    send(body: unknown): this;
  }

  export type Handler = (request: Request, response: Response, next: Next) => unknown;
  export type ErrorHandler = (error: unknown, request: Request, response: Response, next: Next) => unknown;
  type Path = string | RegExp | readonly (string | RegExp)[];

  export interface Router extends RequestListener {
    use(path: Path, handler: Handler): this;
    use(...handlers: readonly (Handler | ErrorHandler | Router)[]): this;
    use(path: Path, ...handlers: readonly (Handler | ErrorHandler | Router)[]): this;
    get(path: Path, ...handlers: readonly Handler[]): this;
    post(path: Path, ...handlers: readonly Handler[]): this;
    all(path: Path, ...handlers: readonly Handler[]): this;
  }

  export interface Express {
    (): Router;
    Router(options?: { readonly mergeParams?: boolean }): Router;
    json(): Handler;
  }

  const express: Express;
  export default express;
}

declare module "express4" {
  import express from "express";
  export default express;
}
