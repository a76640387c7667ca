import { type Clock, systemClock } from "../base/index.js";
import { openRegistry, type Registry } from "../metrics/index.js";
import { BoundedNames } from "./bounded-names.js";
import type { AnswerLike, MessageLike } from "./exchange.js";
import {
  type ExpressErrorMiddleware,
  type ExpressMiddleware,
  expressErrorMiddleware,
  expressMiddleware,
} from "./express.js";
import { registerFamilies, type ServiceFamilies } from "./families.js";
import { type FastifyHandler, type FastifyPlugin, fastifyHandler, fastifyPlugin } from "./fastify.js";
import { type FrozenNumbers, frozenNumbers } from "./frozen-numbers.js";
import { type HonoMiddleware, honoMiddleware } from "./hono.js";
import {
  leaveOutOf,
  type MetricsListener,
  metricsListener,
  type ScrapeMaker,
  type WebContextLike,
  webMetricsHandler,
} from "./metrics-handlers.js";
import { instrumentListener, instrumentServer, type ServerLike } from "./node-http.js";
import { type ServiceOptions, settingsOf } from "./options.js";
import { RequestMeter } from "./request-meter.js";
import { type Scrape, type ScrapeSource, scrapeJson, scrapeText } from "./scrape.js";
import { Stages, type StageTimer } from "./stages.js";

/**
 * The metrics of an HTTP service: its requests, caches, limits and the stages of its answers.
 *
 * - Every request is counted once, whether it is answered, refused, broken off or left by its client, in one step with its duration: in
 *   each snapshot the numbers add up.
 * - Labels are bounded: routes are templates, methods and errors a known set.
 * - A `request` that is handed over is whatever the framework calls so (or the message, the answer, the context); without one the calls
 *   are of the request that the code which runs belongs to.
 */
export class ServiceMetrics {
  readonly registry: Registry;
  readonly #families: ServiceFamilies;
  readonly #meter: RequestMeter;
  readonly #stages: Stages;
  readonly #caches: BoundedNames;
  readonly #leaveOut: ((request: object) => void) | undefined;

  /** Use `serviceMetrics`. */
  constructor(registry: Registry, options: ServiceOptions, clock: Clock) {
    const settings = settingsOf(options);
    this.registry = registry;
    this.#families = registerFamilies(registry, settings);
    this.#meter = new RequestMeter(registry, this.#families, settings, clock);
    this.#stages = new Stages(this.#families.stages, settings.stages, clock);
    this.#caches = new BoundedNames(settings.cachesMax, "(other)");
    this.#leaveOut = settings.countsScrapes ? undefined : leaveOutOf(this.#meter);
  }

  /**
   * Counts every request of a node:http, node:https or node:http2 server, the ones of a framework on it too. Upgraded connections are no requests.
   * @returns a function that ends it
   */
  instrument(server: ServerLike): () => void {
    return instrumentServer(this.#meter, server);
  }

  /**
   * A request listener around another one, that sees what it throws or rejects with, too. That goes on as it was: who answers it is for
   * others to say.
   * @param route the template of the requests that it gets @default what `route` says
   */
  listener<M extends MessageLike, A extends AnswerLike, R>(
    listener: (message: M, answer: A) => R,
    route?: string,
  ): (message: M, answer: A) => R {
    return instrumentListener(this.#meter, listener, route);
  }

  /** A plugin for `app.register`. */
  fastify(): FastifyPlugin {
    return fastifyPlugin(this.#meter);
  }

  /** A middleware for `app.use`, before the routes. */
  express(): ExpressMiddleware {
    return expressMiddleware(this.#meter);
  }

  /** A middleware for `app.use`, after the routes and before who answers errors: without it errors have only their status. */
  expressErrors(): ExpressErrorMiddleware {
    return expressErrorMiddleware(this.#meter);
  }

  /** A middleware for `app.use`, before the routes. */
  hono(): HonoMiddleware {
    return honoMiddleware(this.#meter);
  }

  /** Says of which route a request is, as a template and never as the path: for services without a router that is known here. */
  route(template: string, request?: object): void {
    const record = this.#meter.recordOf(request);
    if (record !== undefined) record.route = template;
  }

  /** Says that something went wrong with a request that its handler answers itself; the first error of a request counts. */
  failed(error: unknown, request?: object): void {
    this.#meter.recordOf(request)?.fail(error);
  }

  /** A look-up that a cache answered. @param cache its name @default "default" */
  cacheHit(cache = "default"): void {
    this.#families.cache.add(1, { cache: this.#caches.of(cache), result: "hit" });
  }

  /** A look-up that a cache did not answer. @param cache its name @default "default" */
  cacheMiss(cache = "default"): void {
    this.#families.cache.add(1, { cache: this.#caches.of(cache), result: "miss" });
  }

  /** A request was refused by a limit. One that is answered with 429 is counted without being told, and never twice. */
  rateLimited(request?: object): void {
    this.#meter.rateLimited(request);
  }

  /**
   * Runs a stage of an answer and records how long it took, until its promise is settled if it answers one; with outcome `error` when it
   * throws or rejects, which goes on as it was.
   * @throws OptionError when the stage is not in the options; the body has not run then
   */
  stage<T>(name: string, body: (timer: StageTimer) => T): T {
    return this.#stages.run(name, body);
  }

  /** As `stage("retrieval", body)`. */
  retrieval<T>(body: (timer: StageTimer) => T): T {
    return this.#stages.run("retrieval", body);
  }

  /** As `stage("generation", body)`. */
  generation<T>(body: (timer: StageTimer) => T): T {
    return this.#stages.run("generation", body);
  }

  /** Tokens that went to a model and came from it: 0 or more each. @throws MetricValueError */
  tokens({ input = 0, output = 0 }: { readonly input?: number; readonly output?: number }): void {
    this.registry.together(() => {
      this.#families.tokens.add(input, { direction: "input" });
      this.#families.tokens.add(output, { direction: "output" });
    });
  }

  /** The numbers whose names never change, of one snapshot. */
  numbers(): FrozenNumbers {
    return frozenNumbers(this.registry.snapshot(), this.#families);
  }

  /** An answer for Prometheus and its like. @param source in place of the registry: several processes merged, for one */
  scrape(accept?: string, signal?: AbortSignal, source: ScrapeSource = this.registry): Promise<Scrape> {
    return scrapeText(source, accept, signal);
  }

  /** `numbers()` and, as `metrics`, everything, as JSON. @param source as for `scrape` */
  scrapeJson(signal?: AbortSignal, source: ScrapeSource = this.registry): Promise<Scrape> {
    return scrapeJson(source, this.#families, signal);
  }

  /** `/metrics`, for node:http and Express. @param source as for `scrape` */
  metrics(source?: ScrapeSource): MetricsListener {
    return metricsListener(this.#textMaker(source), this.#leaveOut);
  }

  /** `/metrics.json`, for node:http and Express. @param source as for `scrape` */
  metricsJson(source?: ScrapeSource): MetricsListener {
    return metricsListener(this.#jsonMaker(source), this.#leaveOut);
  }

  /** `/metrics`, for Fastify. @param source as for `scrape` */
  fastifyMetrics(source?: ScrapeSource): FastifyHandler {
    return fastifyHandler(this.metrics(source));
  }

  /** `/metrics.json`, for Fastify. @param source as for `scrape` */
  fastifyMetricsJson(source?: ScrapeSource): FastifyHandler {
    return fastifyHandler(this.metricsJson(source));
  }

  /** `/metrics`, for Hono. @param source as for `scrape` */
  honoMetrics(source?: ScrapeSource): (context: WebContextLike) => Promise<Response> {
    return webMetricsHandler(this.#textMaker(source), this.#leaveOut);
  }

  /** `/metrics.json`, for Hono. @param source as for `scrape` */
  honoMetricsJson(source?: ScrapeSource): (context: WebContextLike) => Promise<Response> {
    return webMetricsHandler(this.#jsonMaker(source), this.#leaveOut);
  }

  #textMaker(source: ScrapeSource | undefined): ScrapeMaker {
    return (accept, signal) => this.scrape(accept, signal, source);
  }

  #jsonMaker(source: ScrapeSource | undefined): ScrapeMaker {
    return (_accept, signal) => this.scrapeJson(signal, source);
  }
}

/**
 * The metrics of an HTTP service in a registry, of which all its threads may have one.
 * @param registry @default the process's default registry
 * @throws OptionError
 * @throws MetricConflictError when the registry has one of the metrics in another shape
 */
export function serviceMetrics(
  registry: Registry = openRegistry(),
  options: ServiceOptions = {},
  clock: Clock = systemClock,
): ServiceMetrics {
  return new ServiceMetrics(registry, options, clock);
}
