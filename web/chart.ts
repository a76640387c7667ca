import uPlot from "uplot";
import { colour, whenSchemeChanges } from "./colours.js";
import { h, setText } from "./dom.js";
import { axisText, clockText } from "./times.js";

const heightPx = 190;
/** Line styles beside the colours, so that lines differ for everybody. */
export const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

export interface ChartLine {
  readonly name: string;
  /** One per time; null where there is nothing. */
  readonly values: readonly (number | null)[];
}

export interface ChartData {
  readonly timesMs: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly shape: "lines" | "bars";
  readonly format: (value: number | null | undefined) => string;
  readonly formatAxis: (value: number) => string;
}

/**
 * A time series on a canvas. Pointer or arrow keys move a cursor; what stands under it is written beside the chart and announced. The
 * canvas itself says nothing to a screen reader: the figure around it has a name and a table.
 */
export class Chart {
  /** What stands under the cursor, in words. */
  readonly reading: HTMLElement = h("p", { class: "reading", "aria-live": "polite" });
  readonly element: HTMLElement = h("div", {
    class: "chart",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "chart",
  });
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  #signature = "";
  #cursorIndex: number | undefined;

  constructor(label: string) {
    this.element.setAttribute("aria-label", `${label}: arrow keys read values`);
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("blur", () => this.#read(undefined));
    new ResizeObserver(() => this.#resize()).observe(this.element);
    whenSchemeChanges(() => this.#plot?.redraw(false, true));
  }

  set(data: ChartData): void {
    this.#data = data;
    const signature = JSON.stringify([data.shape, data.lines.map(({ name }) => name)]);
    if (signature !== this.#signature) {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#signature = signature;
    }
    if (this.#plot === undefined) this.#create(data);
    else this.#plot.setData(aligned(data));
    if (this.#cursorIndex !== undefined) this.#read(Math.min(this.#cursorIndex, data.timesMs.length - 1));
  }

  #create(data: ChartData): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    this.#plot = new uPlot(this.#options(data, width), aligned(data), this.element);
  }

  #resize(): void {
    const width = this.element.clientWidth;
    if (this.#plot !== undefined && width > 0) this.#plot.setSize({ width, height: heightPx });
    else if (this.#data !== undefined) this.#create(this.#data);
  }

  #options(data: ChartData, width: number): uPlot.Options {
    const axis: Partial<uPlot.Axis> = {
      stroke: () => colour("--muted"),
      grid: { stroke: () => colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    return {
      width,
      height: heightPx,
      ms: 1,
      legend: { show: false },
      padding: [10, 30, 0, 0],
      cursor: { drag: { setScale: false, x: false, y: false }, points: { size: 7 }, y: false },
      scales: { x: { time: true }, y: { range: (_plot, min, max) => rangeOf(min, max) } },
      axes: [
        {
          ...axis,
          space: 90,
          size: 28,
          values: (plot, splits) => splits.map((split) => axisText(split, spanOf(plot))),
        },
        {
          ...axis,
          size: 52,
          space: 36,
          values: (_plot, splits) => splits.map((split) => data.formatAxis(split)),
        },
      ],
      series: [{}, ...data.lines.map((line, index) => seriesOptions(line, index, data.shape))],
      hooks: { setCursor: [(plot) => this.#onCursor(plot.cursor.idx)] },
    };
  }

  #onCursor(index: number | null | undefined): void {
    this.#write(index ?? undefined);
  }

  #onKey(event: KeyboardEvent): void {
    const last = (this.#data?.timesMs.length ?? 0) - 1;
    const at = this.#cursorIndex ?? last + 1;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.#read(undefined);
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.#read(Math.max(0, Math.min(last, next)));
  }

  #read(index: number | undefined): void {
    this.#cursorIndex = index;
    const timeMs = index === undefined ? undefined : this.#data?.timesMs[index];
    if (this.#plot !== undefined)
      this.#plot.setCursor(
        timeMs === undefined ? { left: -10, top: -10 } : { left: this.#plot.valToPos(timeMs, "x"), top: 0 },
        false,
      );
    this.#write(index);
  }

  #write(index: number | undefined): void {
    const data = this.#data;
    const timeMs = index === undefined ? undefined : data?.timesMs[index];
    if (data === undefined || index === undefined || timeMs === undefined) {
      setText(this.reading, "");
      return;
    }
    const values = data.lines.map((line) => `${line.name} ${data.format(line.values[index])}`);
    setText(this.reading, `${clockText(timeMs)}  ${values.join("   ")}`);
  }
}

function aligned(data: ChartData): uPlot.AlignedData {
  return [data.timesMs as number[], ...data.lines.map(({ values }) => values as (number | null)[])];
}

function spanOf(plot: uPlot): number {
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  return (max ?? 0) - (min ?? 0);
}

/** From 0, because half a bar lies; with room above, and something to see when all is 0. */
function rangeOf(min: number | null, max: number | null): [number, number] {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(0, max ?? 0);
  return low === high ? [0, 1] : [low < 0 ? low * 1.1 : 0, high * 1.1];
}

function seriesOptions(line: ChartLine, index: number, shape: ChartData["shape"]): uPlot.Series {
  const stroke = (): string => colour(`--series-${index % 4}`);
  const common = { label: line.name, stroke, spanGaps: false };
  if (shape === "bars") {
    const paths = uPlot.paths.bars!({ size: [0.7, 24], radius: 0.15 });
    return { ...common, paths, fill: () => colour("--series-0"), width: 0, points: { show: false } };
  }
  return {
    ...common,
    width: index === 0 ? 2 : 1.75,
    dash: [...dashes[index % dashes.length]!],
    points: { show: true, size: 5, filter: lonelyPoints, stroke, fill: stroke },
  };
}

/** A point with gaps on both sides is no line: without a dot it could not be seen. */
function lonelyPoints(plot: uPlot, seriesIndex: number, isShown: boolean): number[] | null {
  if (!isShown && seriesIndex === 0) return null;
  const values = plot.data[seriesIndex] ?? [];
  const lonely: number[] = [];
  for (let i = 0; i < values.length; i += 1)
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) lonely.push(i);
  return lonely;
}
