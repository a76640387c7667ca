import { setAttributes, svg } from "./dom.js";

const width = 120;
const height = 28;
const pointsMin = 5;

/** A line without axes, beside a number that says the same exactly; gaps stay gaps. */
export class Sparkline {
  readonly #line = svg("path", { class: "spark-line", fill: "none", "vector-effect": "non-scaling-stroke" });
  readonly #area = svg("path", { class: "spark-area" });
  readonly element: SVGElement = svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    this.#area,
    this.#line,
  );

  update(values: readonly (number | null)[]): void {
    const known = values.filter((value) => value !== null);
    // A line through two or three points says more than is known.
    if (known.length < pointsMin) {
      setAttributes(this.#line, { d: "" });
      setAttributes(this.#area, { d: "" });
      return;
    }
    const top = Math.max(...known, 0);
    const x = (index: number): string => ((index * width) / Math.max(1, values.length - 1)).toFixed(1);
    const y = (value: number): string =>
      (top <= 0 ? height - 2 : height - 2 - (value / top) * (height - 5)).toFixed(1);
    let line = "";
    let area = "";
    let runStart = -1;
    values.forEach((value, index) => {
      if (value !== null) {
        line += `${runStart < 0 ? "M" : "L"}${x(index)} ${y(value)}`;
        area += runStart < 0 ? `M${x(index)} ${height}L${x(index)} ${y(value)}` : `L${x(index)} ${y(value)}`;
        if (runStart < 0) runStart = index;
      }
      const isRunEnd = runStart >= 0 && (value === null || index === values.length - 1);
      if (!isRunEnd) return;
      area += `L${x(value === null ? index - 1 : index)} ${height}Z`;
      runStart = -1;
    });
    setAttributes(this.#line, { d: line });
    setAttributes(this.#area, { d: area });
  }
}
