import type { GroupAnswer, MetricAnswer, SeriesAnswer } from "../src/pipeline/index.js";
import type { MetricDescription } from "../src/server/index.js";
import {
  compactText,
  countText,
  groupText,
  shareText,
  spanText,
  valueText,
  windowName,
} from "../src/server/text.js";
import { Chart, type ChartData, type ChartLine, dashes } from "./chart.js";
import { h, setText, svg } from "./dom.js";
import { answerOf, seriesOf } from "./facts.js";
import { GroupsTable } from "./groups-table.js";
import type { PageState } from "./state.js";
import { agoText, timeText } from "./times.js";

/** One metric: its number over all, a chart with the same as a table, and its groups. */
export class MetricCard {
  readonly #description: MetricDescription;
  readonly #number = h("p", { class: "card-number" });
  readonly #span = h("p", { class: "card-span" });
  readonly #legend = h("ul", { class: "legend" });
  readonly #caption = h("figcaption");
  readonly #data = h("tbody");
  readonly #dataHead = h("tr");
  readonly #details: HTMLDetailsElement;
  readonly #chart: Chart;
  readonly #groups: GroupsTable;
  readonly #noteLine = h("p", { class: "note" });
  readonly element: HTMLElement;
  #series: SeriesAnswer | undefined;
  #legendNames = "";

  constructor(description: MetricDescription, index: number) {
    this.#description = description;
    const { name, kind, unit, by } = description;
    this.#chart = new Chart(name);
    this.#groups = new GroupsTable(description);
    const dataId = `chart-data-${index}`;
    this.#details = h(
      "details",
      { class: "chart-data", id: dataId },
      h("summary", {}, "Chart as a table"),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": `${name}, chart as a table` },
        h(
          "table",
          {},
          h("caption", { class: "hidden" }, `${name} over time`),
          h("thead", {}, this.#dataHead),
          this.#data,
        ),
      ),
    );
    this.#details.addEventListener("toggle", () => this.#updateData());
    const about = [kind, unit, by.length === 0 ? undefined : `by ${by.join(", ")}`]
      .filter((text) => text !== undefined)
      .join(" · ");
    const headingId = `metric-${index}`;
    this.element = h(
      "article",
      { class: "card", "data-metric": name, "aria-labelledby": headingId },
      h(
        "header",
        {},
        h("div", {}, h("h3", { id: headingId }, name), h("p", { class: "card-about" }, about)),
        this.#number,
      ),
      this.#span,
      h(
        "figure",
        { "aria-details": dataId },
        this.#caption,
        this.#chart.reading,
        this.#legend,
        this.#chart.element,
      ),
      this.#details,
      this.#groups.element,
      this.#noteLine,
    );
  }

  update(page: PageState): void {
    const answer = answerOf(page, this.#description.name);
    const series = seriesOf(page, this.#description.name);
    if (answer !== undefined) this.#updateAnswer(answer, page);
    if (series !== undefined && series !== this.#series) this.#updateSeries(series, page);
  }

  #updateAnswer(answer: MetricAnswer, page: PageState): void {
    setText(this.#number, mainText(answer));
    setText(this.#span, spanWords(answer, page.nowMs));
    this.#groups.update(answer);
    setText(this.#noteLine, noteText(answer));
  }

  #updateSeries(series: SeriesAnswer, page: PageState): void {
    this.#series = series;
    const data = chartData(withoutOpenStep(series, page.nowMs), this.#description);
    // The series' own where none was chosen; it has one step more than that, the open one.
    const over = windowName(page.windowMs ?? series.windowMs - series.stepMs);
    setText(
      this.#caption,
      `${series.name}${series.kind === "distribution" ? " percentiles" : ""} per ${spanText(series.stepMs).replace(".0", "")}, ${over}`,
    );
    this.#chart.set(data);
    this.#updateLegend(data);
    this.#updateData();
  }

  #updateLegend(data: ChartData): void {
    const names = JSON.stringify(data.lines.map(({ name }) => name));
    if (names === this.#legendNames) return;
    this.#legendNames = names;
    this.#legend.replaceChildren(
      ...data.lines.map(({ name }, index) =>
        h("li", { title: name }, swatch(index, data.shape), h("span", { class: "legend-name" }, name)),
      ),
    );
    this.#legend.hidden = data.lines.length < 2;
  }

  /** Only while somebody looks: 60 rows a chart are much for a page that changes ten times a second. */
  #updateData(): void {
    const series = this.#series;
    if (!this.#details.open || series === undefined) return;
    const { lines, timesMs, format } = chartData(series, this.#description);
    const every = Math.ceil(timesMs.length / 60);
    this.#dataHead.replaceChildren(
      ...["time", ...lines.map(({ name }) => name)].map((name) => h("th", { scope: "col" }, name)),
    );
    const rows = timesMs.flatMap((timeMs, index) =>
      index % every === 0
        ? [
            h(
              "tr",
              {},
              h("th", { scope: "row" }, timeText(timeMs, timesMs.at(-1)!)),
              ...lines.map((line) => h("td", {}, format(line.values[index]))),
            ),
          ]
        : [],
    );
    this.#data.replaceChildren(...rows.reverse());
  }
}

function chartData(series: SeriesAnswer, { kind, unit, by }: MetricDescription): ChartData {
  const base = { timesMs: series.timesMs };
  if (kind === "distribution") {
    const lines = series.groups[0]?.lines ?? {};
    const shown = ["p50", "p95", "p99"].map(
      (name): ChartLine => ({ name, values: lines[name] ?? series.timesMs.map(() => null) }),
    );
    return {
      ...base,
      lines: shown,
      shape: "lines",
      format: (value) => valueText(value, unit),
      formatAxis: compactText,
    };
  }
  const isCount = kind === "count";
  const format = (value: number | null | undefined): string =>
    kind === "ratio"
      ? shareText(value)
      : isCount
        ? countText(value)
        : valueText(value, kind === "rate" ? "/s" : unit);
  const isGrouped = by.length > 0 && series.groups.some((group) => Object.keys(group.by).length > 0);
  const lines = series.groups.map((group): ChartLine => {
    const values = group.lines.value ?? series.timesMs.map(() => null);
    return {
      name: isGrouped ? groupText(group.by) : series.name,
      values: isCount ? zeroBetween(values) : values,
    };
  });
  return {
    ...base,
    lines,
    shape: isCount && !isGrouped ? "bars" : "lines",
    format,
    formatAxis: kind === "ratio" ? shareText : compactText,
  };
}

/** A step that has only begun looks like a fall to nothing, or a share of two events like news: it is drawn when it is over. */
function withoutOpenStep(series: SeriesAnswer, nowMs: number): SeriesAnswer {
  const isOpen = (series.timesMs.at(-1) ?? 0) + series.stepMs > nowMs;
  const isMoreToSee = series.groups.some(({ lines }) =>
    Object.values(lines).some((values) => values.slice(0, -1).some((value) => value !== null)),
  );
  if (!isOpen || series.kind === "gauge" || !isMoreToSee) return series;
  const cut = (lines: SeriesAnswer["groups"][number]["lines"]): Record<string, readonly (number | null)[]> =>
    Object.fromEntries(Object.entries(lines).map(([name, values]) => [name, values.slice(0, -1)]));
  return {
    ...series,
    timesMs: series.timesMs.slice(0, -1),
    groups: series.groups.map(({ by, lines }) => ({ by, lines: cut(lines) })),
  };
}

/** No event in a step is a count of 0, between the first and the last that had some. */
function zeroBetween(values: readonly (number | null)[]): (number | null)[] {
  const first = values.findIndex((value) => value !== null);
  const last = values.findLastIndex((value) => value !== null);
  return values.map((value, index) =>
    value === null && index > first && index < last && first >= 0 ? 0 : value,
  );
}

function swatch(index: number, shape: ChartData["shape"]): SVGElement {
  const line = svg("line", {
    x1: 0,
    y1: 6,
    x2: 26,
    y2: 6,
    class: `stroke-${index % 4}`,
    "stroke-width": shape === "bars" ? 8 : 2.5,
    "stroke-dasharray": dashes[index % dashes.length]!.join(" ") || "none",
  });
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" },
    line,
  );
}

function mainText({ kind, unit, all, isAtLeast }: MetricAnswer): string {
  const text = groupMainText(kind, unit, all);
  return isAtLeast && text !== "–" ? `≥ ${text}` : text;
}

function groupMainText(kind: MetricAnswer["kind"], unit: string | undefined, all: GroupAnswer): string {
  switch (kind) {
    case "distribution":
      return valueText(all.p95, unit);
    case "ratio":
      return shareText(all.value);
    case "count":
      return countText(all.value);
    case "rate":
      return valueText(all.value, "/s");
    default:
      return valueText(all.value, unit);
  }
}

function spanWords({ kind, span, all, sinceMs }: MetricAnswer, nowMs: number): string {
  const what =
    kind === "distribution" ? `p95 of ${countText(all.n)}` : kind === "ratio" ? `of ${countText(all.n)}` : "";
  return [what, windowWords(span, sinceMs, nowMs)].filter((text) => text !== "").join(", ");
}

function windowWords(span: MetricAnswer["span"], sinceMs: number, nowMs: number): string {
  if (span.kind === "total") return `all time; kept since ${timeText(sinceMs, nowMs)}`;
  const length = windowName(span.toMs - span.fromMs);
  if (span.anchor === "now") return `last ${length}, ending now`;
  return `${length} window ends at newest data ${timeText(span.toMs, nowMs)}, ${agoText(span.toMs, nowMs)}`;
}

function noteText({ late, future, untimed, isAtLeast }: MetricAnswer): string {
  const apart = [
    late > 0 ? `${countText(late)} too old` : undefined,
    future > 0 ? `${countText(future)} from the future` : undefined,
    untimed > 0 ? `${countText(untimed)} without a time` : undefined,
  ].filter((text) => text !== undefined);
  return [
    apart.length > 0 ? `${apart.join(", ")}: in the totals only.` : "",
    isAtLeast ? "≥: some detail was given up to keep a limit, so the number is at least this." : "",
  ]
    .filter((text) => text !== "")
    .join(" ");
}
