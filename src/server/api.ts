import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Clock } from "../base/index.js";
import { locksDocument, reportDomains } from "../locks/index.js";
import type { QueryRequest } from "../pipeline/index.js";
import type { DeadLetterQuery, FailureReason } from "../store/index.js";
import { deadLettersToWire, deadLetterToWire } from "./dead-letter-json.js";
import { parseWindow } from "./durations.js";
import { BusyError, NotFoundError, QueryError } from "./errors.js";
import type { LiveHub } from "./live-hub.js";
import { Parameters } from "./parameters.js";
import type { MetricDescription, ServerSource } from "./source.js";
import { within } from "./within.js";

/** Of one dead letter in a list; the letter itself has them all. */
const listedBytesMax = 4096;
/** A store that takes longer is in trouble, and the caller should know. */
const answerMsMax = 30_000;
/** A series has at most this many points asked for. */
const pointsMax = 1000;

/** `/api/v1/…`: all reading, each answer one JSON document; docs/reference/http.md describes them. */
export function registerApi(
  app: FastifyInstance,
  from: { source: ServerSource; hub: LiveHub; clock: Clock },
): void {
  const { source, hub, clock } = from;
  const get = (
    path: string,
    parameters: readonly string[],
    answer: (parameters: Parameters, request: FastifyRequest) => unknown,
  ): void => {
    app.get(`/api/v1/${path}`, async (request, reply) => {
      reply.header("cache-control", "no-store").type("application/json; charset=utf-8");
      const asked = Promise.resolve(answer(new Parameters(request.url, parameters), request));
      const value = await within(clock, answerMsMax, asked);
      return Buffer.isBuffer(value) ? value : JSON.stringify(value);
    });
  };

  get("status", [], () => source.status());
  get("metrics", [], () => ({ metrics: source.metrics() }));
  get("query", ["metric", "window", "groups", "by.", "absent."], (given) =>
    source.query(queryOf(source, given)),
  );
  get("series", ["metric", "window", "step", "groups"], (given) => {
    const metric = given.needed("metric");
    const windowMs = parseWindow(given.text("window") ?? "1h");
    if (windowMs === undefined)
      throw new QueryError("Cannot answer a series of all time: expected a window up to 90d");
    const stepText = given.text("step");
    const stepMs = stepText === undefined ? undefined : parseWindow(stepText);
    if (stepMs !== undefined && windowMs / stepMs > pointsMax)
      throw new QueryError(
        `Cannot answer a series of ${Math.ceil(windowMs / stepMs)} points: expected at most ${pointsMax}`,
      );
    const groupsMax = given.integer("groups", 0, 100);
    return source.series({
      metric,
      windowMs,
      ...(stepMs === undefined ? {} : { stepMs }),
      ...(groupsMax === undefined ? {} : { groupsMax }),
    });
  });
  get("ledger", [], async () => ({ sources: await source.ledger() }));
  get("sources", [], async () => ({ sources: await source.sources() }));
  get("dead-letters", ["limit", "before", "source", "reason"], async (given) =>
    deadLettersToWire(await source.deadLetters(deadLetterQueryOf(given)), listedBytesMax),
  );
  get("dead-letters/:id", [], async (_given, request) => {
    const { id } = request.params as { id: string };
    const letter = /^\d{1,15}$/.test(id) ? await source.deadLetter(Number(id)) : undefined;
    if (letter === undefined)
      throw new NotFoundError(`Cannot show dead letter ${id}: there is none with this number`);
    return deadLetterToWire(letter);
  });
  get("locks", [], () => locksDocument(reportDomains()));
  get("snapshot", ["window"], async (given) => {
    const frame = await hub.snapshot(parseWindow(given.text("window") ?? "all"));
    if (frame === undefined)
      throw new BusyError("Cannot show this window: too many different ones are looked at");
    return frame;
  });
}

function queryOf(source: ServerSource, given: Parameters): QueryRequest {
  const name = given.needed("metric");
  const windowMs = parseWindow(given.text("window") ?? "all");
  const metric = source.metrics().find((one) => one.name === name);
  const group = metric === undefined ? undefined : groupOf(metric, given);
  const groupsMax = given.integer("groups", 1, 10_000);
  return {
    metric: name,
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(group === undefined ? {} : { group }),
    ...(groupsMax === undefined ? {} : { groupsMax }),
  };
}

/** `by.FIELD=value` and `absent.FIELD`; a group is asked for whole, because part of one is not a group. */
function groupOf(metric: MetricDescription, given: Parameters): Record<string, string | null> | undefined {
  const wanted = new Map<string, string | null>(given.fields("by"));
  for (const field of given.fields("absent").keys()) {
    if (wanted.has(field))
      throw new QueryError(`Cannot answer for ${field}: it is given both as by and absent`);
    wanted.set(field, null);
  }
  if (wanted.size === 0) return undefined;
  const isWhole = metric.by.length === wanted.size && metric.by.every((field) => wanted.has(field));
  if (isWhole) return Object.fromEntries(wanted);
  const fields = metric.by.length === 0 ? "is not grouped" : `is grouped by ${metric.by.join(", ")}`;
  throw new QueryError(`Cannot answer for by = ${[...wanted.keys()].join(", ")}: ${metric.name} ${fields}`, {
    hint:
      metric.by.length === 0
        ? "ask without by"
        : `give each: ${metric.by.map((field) => `by.${field}=…`).join("&")}`,
  });
}

/** As an object, so that the compiler asks for a reason that is new. */
const reasons: Readonly<Record<FailureReason, true>> = {
  parse: true,
  shape: true,
  time: true,
  value: true,
  expression: true,
  oversize: true,
  handler: true,
  "thread-died": true,
  "thread-hung": true,
};

function reasonOf(text: string): FailureReason {
  if (Object.hasOwn(reasons, text)) return text as FailureReason;
  throw new QueryError(`Cannot use reason = "${text}": expected one of ${Object.keys(reasons).join(", ")}`);
}

function deadLetterQueryOf(given: Parameters): DeadLetterQuery {
  const source = given.text("source");
  const reason = given.text("reason");
  const before = given.integer("before", 0, Number.MAX_SAFE_INTEGER);
  return {
    limit: given.integer("limit", 1, 500) ?? 50,
    ...(before === undefined ? {} : { before }),
    ...(source === undefined ? {} : { source }),
    ...(reason === undefined ? {} : { reason: reasonOf(reason) }),
  };
}
