import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../base/index.js";
import type { Registry } from "../metrics/index.js";
import { BoundedNames } from "./bounded-names.js";
import { faultOf, type Outcome } from "./error-class.js";
import { noRoute, type ServiceFamilies } from "./families.js";
import type { ServiceSettings } from "./options.js";

/** One request from its start to its end. Whatever happens, it is counted once. */
export class RequestRecord {
  /** The template, `/users/:id`: never what the client sent. */
  route: string | undefined;
  /** Finds the route of a request that ends before anybody said it. */
  routeSoFar: (() => string | undefined) | undefined;
  /** What was thrown; the first counts. */
  error: unknown;
  isTimedOut = false;
  isRateLimited = false;
  readonly method: string;
  readonly scheme: string;
  readonly startedMs: number;
  /** True once it was counted, or left out. */
  isOver = false;

  constructor(method: string, scheme: string, startedMs: number) {
    this.method = method;
    this.scheme = scheme;
    this.startedMs = startedMs;
  }

  fail(error: unknown): void {
    this.error ??= error ?? new Error("Nothing was thrown, but something was");
  }
}

/** A message, an answer, or a framework's wrapper of either. */
interface Linked {
  [key: symbol]: RequestRecord | undefined;
}

/** Counts requests: one step when they start, one when they end, so that every snapshot adds up. */
export class RequestMeter {
  readonly #registry: Registry;
  readonly #families: ServiceFamilies;
  readonly #clock: Clock;
  readonly #methods: ReadonlySet<string>;
  readonly #routes: BoundedNames;
  readonly #types: BoundedNames;
  /** Which request the code that runs belongs to. */
  readonly current: AsyncLocalStorage<RequestRecord> = new AsyncLocalStorage();
  /** Of a property of the objects that stand for a request; each meter has its own. A WeakMap would take some µs for each request. */
  readonly #key = Symbol("poundlock request");

  constructor(registry: Registry, families: ServiceFamilies, settings: ServiceSettings, clock: Clock) {
    this.#registry = registry;
    this.#families = families;
    this.#clock = clock;
    this.#methods = settings.methods;
    this.#routes = new BoundedNames(settings.routesMax, "(other)");
    this.#types = new BoundedNames(settings.errorTypesMax, "_OTHER");
  }

  start(method: string, scheme: string): RequestRecord {
    const known = this.#methods.has(method) ? method : "_OTHER";
    const record = new RequestRecord(known, scheme, this.#clock.monotonicMs());
    this.#registry.together(() => {
      this.#families.begun.add();
      this.#families.requests.started(record.method, record.scheme);
    });
    return record;
  }

  /** From now on `recordOf` finds the record by these. */
  link(record: RequestRecord, ...objects: readonly object[]): void {
    for (const object of objects) (object as Linked)[this.#key] = record;
  }

  /** The record of a request, message, answer or context; without one, of the request that the code which runs belongs to. */
  recordOf(object?: object): RequestRecord | undefined {
    if (object === undefined) return this.current.getStore();
    return (object as Linked)[this.#key];
  }

  /** Counts the request, unless that was done. */
  end(record: RequestRecord, outcome: Omit<Outcome, "error" | "isTimedOut">): void {
    if (record.isOver) return;
    record.isOver = true;
    const { method, scheme, error, isTimedOut } = record;
    const { status, end } = outcome;
    const elapsedMs = Math.max(0, this.#clock.monotonicMs() - record.startedMs);
    const found = faultOf({ status, end, error, isTimedOut });
    const fault = found === undefined ? undefined : { class: found.class, type: this.#types.of(found.type) };
    const template = record.route ?? record.routeSoFar?.();
    const route = template === undefined ? noRoute : this.#routes.of(template);
    this.#registry.together(() => {
      const { requests, errors, rateLimited, latency } = this.#families;
      requests.left(method, scheme);
      requests.record({ method, route, scheme, status, fault, seconds: elapsedMs / 1000 });
      latency.record(elapsedMs);
      if (fault !== undefined) errors.add(1, { method, route, class: fault.class, type: fault.type });
      if (record.isRateLimited || status === 429) rateLimited.add(1, { route });
    });
  }

  /** The request is none that counts: as if it had never started. */
  forget(record: RequestRecord): void {
    if (record.isOver) return;
    record.isOver = true;
    this.#registry.together(() => {
      this.#families.leftOut.add();
      this.#families.requests.left(record.method, record.scheme);
    });
  }

  /** Counts a request as rate limited: when it ends, so that a 429 is not counted again; at once where there is none. */
  rateLimited(object?: object): void {
    const record = this.recordOf(object);
    if (record === undefined || record.isOver) this.#families.rateLimited.add(1, { route: noRoute });
    else record.isRateLimited = true;
  }
}
