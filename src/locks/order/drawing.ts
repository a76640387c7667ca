import type { EdgeExport, OrderExport } from "./export.js";

/** The order as a Graphviz graph: an arrow from what is held to what is then wanted, red where it contradicts others. */
export function toDot({ classes, edges }: OrderExport): string {
  const id = (name: string): string => `"${name.replace(/[\\"]/g, "\\$&").replace(/\s+/g, " ")}"`;
  return [
    "digraph order {",
    "  node [shape=box];",
    ...classes.map(({ name }) => `  ${id(name)};`),
    ...edges.map((edge) => {
      const look = [...(isReading(edge) ? ["style=dashed"] : []), ...(edge.isClosing ? ["color=red"] : [])];
      return `  ${id(edge.from)} -> ${id(edge.to)}${look.length === 0 ? "" : ` [${look.join(" ")}]`};`;
    }),
    "}",
    "",
  ].join("\n");
}

/** The same for Mermaid: dotted where only readers are meant, marked where it contradicts others. */
export function toMermaid({ classes, edges }: OrderExport): string {
  const ids = new Map(classes.map(({ name }, index) => [name, `c${index}`]));
  const closing = edges.flatMap(({ isClosing }, index) => (isClosing ? [index] : []));
  return [
    "flowchart TD",
    ...classes.map(({ name }) => `  ${ids.get(name)}["${escapeMermaid(name)}"]`),
    ...edges.map((edge) => `  ${ids.get(edge.from)} ${isReading(edge) ? "-.->" : "-->"} ${ids.get(edge.to)}`),
    ...(closing.length === 0 ? [] : [`  linkStyle ${closing.join(",")} stroke:red`]),
    "",
  ].join("\n");
}

function isReading({ modes }: EdgeExport): boolean {
  return modes.every(({ held, wanted }) => held === "shared" && wanted === "shared");
}

/** Mermaid knows characters by number only; everything that could end the text or mean something in it is written so. */
function escapeMermaid(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._:/-]/gu, (character) => `#${character.codePointAt(0)};`);
}
