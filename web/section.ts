import { h } from "./dom.js";

/** A part of the page under a heading that asks what the part answers; reached by key as `#id`. */
export function section(id: string, question: string, ...children: (Node | string)[]): HTMLElement {
  const heading = h("h2", { id: `${id}-heading`, tabindex: -1 }, question);
  return h("section", { id, "aria-labelledby": heading.id }, heading, ...children);
}
