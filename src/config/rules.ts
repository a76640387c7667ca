import {
  compileCondition,
  compileExpression,
  ExpressionError,
  FieldPathError,
  type Format,
  FormatError,
  parseFormat,
  parsePath,
} from "../events/index.js";
import type { MetricRule, TimeRule } from "../pipeline/index.js";
import type { Config, FileSourceConfig, MetricConfig } from "./config.js";
import { missing } from "./findings.js";
import type { FileSource } from "./loaded-config.js";
import { nearestName } from "./nearest.js";
import type { Finding, ProblemPath } from "./problem.js";
import { parseDuration, parseSize } from "./units.js";

/** What a reference may name. */
export interface ConfigNames {
  readonly sources: readonly string[];
  readonly metrics: readonly string[];
}

/** Checks what a schema cannot (expressions, paths, references) and says all of it in the pipeline's words. */
export class RuleReader {
  readonly findings: Finding[] = [];
  readonly warnings: string[] = [];
  readonly #config: Config;
  readonly #names: ConfigNames;
  readonly #resolve: (path: string) => string;

  /** `names` may say more than `config` has: entries with mistakes of their own can still be referred to. */
  constructor(config: Config, names: ConfigNames, resolvePath: (path: string) => string) {
    this.#config = config;
    this.#names = names;
    this.#resolve = resolvePath;
  }

  sources(): FileSource[] {
    return Object.entries(this.#config.sources).map(([name, source]) => this.#source(name, source));
  }

  metrics(): MetricRule[] {
    const metrics = Object.entries(this.#config.metrics ?? {});
    if (metrics.length === 0)
      this.warnings.push("there are no metrics, so events are only counted in the ledger");
    const rules = metrics.map(([name, metric]) => this.#metric(name, metric));
    const isReadByAll = rules.some((rule) => rule.from.length === 0);
    for (const source of Object.keys(this.#config.sources)) {
      if (metrics.length === 0 || isReadByAll || rules.some((rule) => rule.from.includes(source))) continue;
      this.warnings.push(`no metric reads the source ${source}`);
    }
    return rules;
  }

  #source(name: string, source: FileSourceConfig): FileSource {
    const path = ["sources", name];
    const format = this.#format([...path, "format"], source.format ?? "json");
    const time = this.#time(path, source);
    if (source.where !== undefined) this.#expression([...path, "where"], source.where);
    const patterns = typeof source.path === "string" ? [source.path] : source.path;
    const lineBytesMax = source.lineBytesMax === undefined ? undefined : parseSize(source.lineBytesMax);
    return {
      rule: { name, format, time: time.rule, ...(source.where === undefined ? {} : { where: source.where }) },
      patterns: patterns.map(this.#resolve),
      from: source.from ?? "start",
      ...(lineBytesMax === undefined ? {} : { lineBytesMax }),
      ...(time.isOpen ? { isTimeFormatOpen: true as const } : {}),
    };
  }

  #time(path: ProblemPath, source: FileSourceConfig): { rule: TimeRule; isOpen: boolean } {
    const { time } = source;
    if (time === undefined && source.format === "combined") {
      return { rule: { kind: "field", path: "time", format: "clf" }, isOpen: false };
    }
    if (time === undefined) {
      this.findings.push(missing([...path, "time"]));
      return { rule: { kind: "none" }, isOpen: false };
    }
    if (time === "arrival" || time === "none") return { rule: { kind: time }, isOpen: false };
    const field = typeof time === "string" ? time : time.field;
    this.#path(typeof time === "string" ? [...path, "time"] : [...path, "time", "field"], field);
    const format = typeof time === "string" ? undefined : time.format;
    const rule: TimeRule = { kind: "field", path: field, format: format ?? "iso" };
    return { rule, isOpen: format === undefined };
  }

  #metric(name: string, metric: MetricConfig): MetricRule {
    const path = ["metrics", name];
    if (metric.where !== undefined) this.#expression([...path, "where"], metric.where);
    const windowsMs = metric.windows?.map((window) => parseDuration(window) ?? 0);
    const common = {
      name,
      ...(metric.groupsMax === undefined ? {} : { groupsMax: metric.groupsMax }),
      ...(windowsMs === undefined ? {} : { windowsMs }),
    };
    if (metric.kind === "ratio") {
      const { of, where } = metric;
      return { ...common, ...this.#ofWhat(path, of), kind: "ratio", of, where };
    }
    const lists = { from: this.#from(path, metric), by: this.#by(path, metric) };
    const base = { ...common, ...lists, ...(metric.where === undefined ? {} : { where: metric.where }) };
    if (!("value" in metric)) return { ...base, kind: metric.kind };
    this.#expression([...path, "value"], metric.value);
    return { ...base, kind: metric.kind, value: metric.value, unit: metric.unit };
  }

  /** The sources and groups of the metric that a ratio is of. */
  #ofWhat(path: ProblemPath, of: string): { from: readonly string[]; by: readonly string[] } {
    const metrics = this.#config.metrics ?? {};
    const counts = Object.keys(metrics).filter(
      (name) => metrics[name]?.kind === "count" || metrics[name]?.kind === "rate",
    );
    const target = Object.hasOwn(metrics, of) ? metrics[of] : undefined;
    if (target === undefined && this.#names.metrics.includes(of)) return { from: [], by: [] };
    if (target?.kind === "count" || target?.kind === "rate")
      return { from: list(target.from), by: list(target.by) };
    const state =
      target === undefined ? `there is no metric ${of}` : `${of} is a ${target.kind}, not a count`;
    this.#reference([...path, "of"], of, state, counts, "the name of a count");
    return { from: [], by: [] };
  }

  #from(path: ProblemPath, metric: { readonly from?: string | readonly string[] }): readonly string[] {
    const { sources } = this.#names;
    const from = list(metric.from);
    from.forEach((source, i) => {
      if (sources.includes(source)) return;
      const at = typeof metric.from === "string" ? [...path, "from"] : [...path, "from", i];
      this.#reference(at, source, `there is no source ${source}`, sources, "the name of a source");
    });
    return from;
  }

  #by(path: ProblemPath, metric: { readonly by?: string | readonly string[] }): readonly string[] {
    const by = list(metric.by);
    by.forEach((field, i) => {
      const at = typeof metric.by === "string" ? [...path, "by"] : [...path, "by", i];
      this.#path(at, field);
      if (by.indexOf(field) === i) return;
      this.#find(at, {
        message: `${field} stands there twice`,
        expected: "each field once",
        fix: "remove one",
      });
    });
    return by;
  }

  #reference(
    path: ProblemPath,
    typed: string,
    message: string,
    names: readonly string[],
    what: string,
  ): void {
    const near = nearestName(typed, names) ?? names[0];
    const expected = names.length === 0 ? what : `${what}: ${names.join(", ")}`;
    this.#find(path, { message, expected, fix: near ?? "define it", code: "CONFIG_REFERENCE" });
  }

  #path(path: ProblemPath, text: string): void {
    try {
      parsePath(text);
    } catch (error) {
      if (!(error instanceof FieldPathError)) throw error;
      this.#find(path, {
        message: error.message,
        expected: "a field such as status or order.coin",
        fix: "order.coin",
      });
    }
  }

  #format(path: ProblemPath, text: string): Format {
    try {
      return parseFormat(text);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const near = nearestName(text, ["json", "logfmt", "combined"]);
      this.#find(path, {
        message: error.message,
        expected: "json, logfmt, combined, or a regular expression with named groups",
        fix: near ?? error.hint ?? "json",
        offset: error.column === undefined ? undefined : error.column - 1,
      });
      return { kind: "json" };
    }
  }

  #expression(path: ProblemPath, source: string): void {
    try {
      if (path.at(-1) === "where") compileCondition(source);
      else compileExpression(source);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { place } = error;
      const lines = source.split("\n");
      const before = lines.slice(0, (place?.line ?? 1) - 1).reduce((sum, line) => sum + line.length + 1, 0);
      this.#find(path, {
        code: "CONFIG_EXPRESSION",
        message: error.reason,
        expected: "a CEL expression over the event's fields",
        fix: error.hint ?? "status >= 500 && route == '/pay'        (see docs/reference/config.md)",
        offset: place === undefined ? undefined : before + place.column - 1,
      });
    }
  }

  #find(
    path: ProblemPath,
    what: {
      message: string;
      expected: string;
      fix: string;
      code?: Finding["code"];
      offset?: number | undefined;
    },
  ): void {
    const { offset, ...rest } = what;
    this.findings.push({
      code: "CONFIG_VALUE",
      path,
      at: "value",
      ...rest,
      ...(offset === undefined ? {} : { offset }),
    });
  }
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
