import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { PoundlockError } from "../base/index.js";
import { HostRefusedError, OriginRefusedError, TokenMissingError, TokenNeededError } from "./errors.js";

/** Shorter tokens can be guessed over a network. */
const tokenLengthMin = 16;

export interface GuardOptions {
  /** Address that the server listens on. */
  readonly host: string;
  readonly token?: string;
  /** Names that a browser may know this server by, beside addresses and `localhost`. */
  readonly allowedHosts?: readonly string[];
}

/**
 * Decides who may read. On loopback everyone on this machine may, but not a page of another origin and not under a foreign
 * host name (DNS rebinding). Beyond loopback a request must carry the token. A request with the token may use any host name:
 * a rebound page has neither the token nor the cookie, which belongs to the name it was set for.
 */
export class Guard {
  readonly #digest: Buffer | undefined;
  readonly #ourNames: ReadonlySet<string>;
  /** Pages of these may read too: behind a proxy the page has the name that was configured and the request another. */
  readonly #pageHosts: ReadonlySet<string>;
  /** False when reading needs the token. */
  readonly isOpen: boolean;

  /** @throws TokenMissingError beyond loopback without a token of at least 16 characters */
  constructor(options: GuardOptions) {
    this.isOpen = isLoopback(options.host);
    if (!this.isOpen && (options.token?.length ?? 0) < tokenLengthMin)
      throw new TokenMissingError(options.host, tokenLengthMin);
    this.#digest = options.token === undefined ? undefined : digestOf(options.token);
    this.#pageHosts = new Set((options.allowedHosts ?? []).map((name) => name.toLowerCase()));
    // Not a page's: on another port of this machine may be anybody's.
    this.#ourNames = new Set([hostname().toLowerCase(), ...this.#pageHosts]);
  }

  /** Why this request may not read, or nothing when it may. */
  refusal(headers: IncomingHttpHeaders): PoundlockError | undefined {
    const foreign = this.originRefusal(headers);
    if (foreign !== undefined) return foreign;
    if (this.hasToken(headers)) return undefined;
    if (!this.isOpen) return new TokenNeededError();
    const host = headers.host ?? "";
    return this.#isOurName(nameOf(host)) ? undefined : new HostRefusedError(host);
  }

  /** Why the page that made this request is not one of ours, or nothing. */
  originRefusal(headers: IncomingHttpHeaders): PoundlockError | undefined {
    const { origin } = headers;
    if (origin === undefined) {
      const isCross = headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] !== "navigate";
      return isCross ? new OriginRefusedError("another site") : undefined;
    }
    const originHost = /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase();
    if (originHost !== undefined && originHost === headers.host?.toLowerCase()) return undefined;
    const name = originHost === undefined ? undefined : nameOf(originHost);
    return name !== undefined && this.#pageHosts.has(name) ? undefined : new OriginRefusedError(origin);
  }

  /** Whether the request proves to know the token, by its header or by the cookie that signing in sets. */
  hasToken(headers: IncomingHttpHeaders): boolean {
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
    if (bearer !== undefined) return this.isToken(bearer);
    if (this.#digest === undefined) return false;
    const expected = this.cookieValue();
    return cookiesOf(headers).some(
      (cookie) =>
        cookie.startsWith(`${cookieName}=`) && isSame(cookie.slice(cookieName.length + 1), expected),
    );
  }

  isToken(token: string): boolean {
    return this.#digest !== undefined && timingSafeEqual(digestOf(token), this.#digest);
  }

  /** The cookie's content: from it the token can't be found again. */
  cookieValue(): string {
    return this.#digest === undefined ? "" : digestOf(this.#digest.toString("hex")).toString("hex");
  }

  #isOurName(name: string | undefined): boolean {
    if (name === undefined) return false;
    return isLoopback(name) || isIP(bare(name)) !== 0 || this.#ourNames.has(name);
  }
}

export const cookieName = "poundlock_session";

/** Whether an address or name can only mean this machine. */
export function isLoopback(host: string): boolean {
  const name = bare(host.toLowerCase());
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

function nameOf(hostAndPort: string): string | undefined {
  try {
    return new URL(`http://${hostAndPort}`).hostname.toLowerCase();
  } catch {
    return undefined;
  }
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function cookiesOf(headers: IncomingHttpHeaders): string[] {
  return (headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}
