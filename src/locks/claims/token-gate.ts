import { integerOption } from "../../base/index.js";
import { StaleTokenError } from "./errors.js";

/**
 * Stands before a resource that is changed under a claim, and turns away holders that lost it without noticing: a process that was
 * paused past its lease and writes when it wakes up. It must be as durable as the resource; this one lasts as long as its process.
 */
export class TokenGate {
  readonly #resource: string;
  #newest: number;

  /** @param newest highest token that the resource has seen, kept with it */
  constructor(resource: string, newest: number = 0) {
    this.#resource = resource;
    this.#newest = tokenOf(newest);
  }

  /** Highest token seen; 0 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Lets a holder through, and none with a lower token after it. @throws StaleTokenError */
  pass(token: number): void {
    if (tokenOf(token) < this.#newest) throw new StaleTokenError(this.#resource, token, this.#newest);
    this.#newest = token;
  }
}

function tokenOf(token: number): number {
  return integerOption("token", token, { default: 0, min: 0, max: Number.MAX_SAFE_INTEGER });
}
