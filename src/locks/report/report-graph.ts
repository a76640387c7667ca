import { printable } from "../../base/index.js";
import type { DomainReport, LockReport } from "./report-data.js";
import { type Party, pictureOf } from "./wait-picture.js";
import { modeText, spanText } from "./wording.js";

interface Node {
  readonly id: string;
  readonly label: string;
  readonly isLock: boolean;
  readonly isStuck: boolean;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly isWait: boolean;
  readonly isStuck: boolean;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** Tasks and locks in Graphviz' language: solid from a lock to who holds it, dashed from who waits to the lock; circles in red. */
export function reportDot(report: DomainReport): string {
  const { nodes, edges } = graphOf(report);
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;
  const red = (isStuck: boolean): string => (isStuck ? ", color=red, fontcolor=red" : "");
  return [
    `digraph ${quoted(`locks of ${printable(report.domain)}`)} {`,
    "  rankdir=LR;",
    ...nodes.map(
      ({ id, label, isLock, isStuck }) =>
        `  ${id} [label=${quoted(label)}, shape=${isLock ? "box" : "ellipse"}${red(isStuck)}];`,
    ),
    ...edges.map(
      ({ from, to, label, isWait, isStuck }) =>
        `  ${from} -> ${to} [label=${quoted(label)}, style=${isWait ? "dashed" : "solid"}${red(isStuck)}];`,
    ),
    "}",
  ].join("\n");
}

/** The same as a Mermaid flow chart. */
export function reportMermaid(report: DomainReport): string {
  const { nodes, edges } = graphOf(report);
  const quoted = (text: string): string =>
    `"${text.replace(/[#"<>&]/g, (char) => `#${char.charCodeAt(0)};`)}"`;
  const stuckNodes = nodes.filter(({ isStuck }) => isStuck).map(({ id }) => id);
  const stuckEdges = edges.flatMap(({ isStuck }, i) => (isStuck ? [i] : []));
  return [
    "flowchart LR",
    ...nodes.map(({ id, label, isLock }) =>
      isLock ? `  ${id}[${quoted(label)}]` : `  ${id}([${quoted(label)}])`,
    ),
    ...edges.map(
      ({ from, to, label, isWait }) => `  ${from} ${isWait ? "-.->" : "-->"}|${quoted(label)}| ${to}`,
    ),
    ...(stuckNodes.length === 0
      ? []
      : ["  classDef stuck stroke:#c00,color:#c00", `  class ${stuckNodes.join(",")} stuck`]),
    ...(stuckEdges.length === 0 ? [] : [`  linkStyle ${stuckEdges.join(",")} stroke:#c00`]),
  ].join("\n");
}

function graphOf(report: DomainReport): Graph {
  const { parties, circles } = pictureOf(report);
  const inCircle = new Set(circles.flat().map(({ waiter }) => waiter));
  const isStuck = (party: Party): boolean => party.waits.some(({ waiter }) => inCircle.has(waiter));
  const idOf = new Map(report.locks.map((lock, i) => [lock, `lock${i}`]));
  const isWanted = (lock: LockReport): boolean => lock.waiters.some((waiter) => inCircle.has(waiter));
  return {
    nodes: [
      ...parties.map((party) => ({
        id: `task${party.id}`,
        label: printable(party.task),
        isLock: false,
        isStuck: isStuck(party),
      })),
      ...report.locks.map((lock) => ({
        id: idOf.get(lock)!,
        label: printable(lock.name),
        isLock: true,
        isStuck: isWanted(lock),
      })),
    ],
    edges: parties.flatMap((party) => [
      ...party.holds.map(({ lock, holder }) => ({
        from: idOf.get(lock)!,
        to: `task${party.id}`,
        label: labelOf("held", modeText(lock, holder), holder.ageMs),
        isWait: false,
        isStuck: isStuck(party) && isWanted(lock),
      })),
      ...party.waits.map(({ lock, waiter }) => ({
        from: `task${party.id}`,
        to: idOf.get(lock)!,
        label: labelOf("waits", modeText(lock, waiter), waiter.ageMs),
        isWait: true,
        isStuck: inCircle.has(waiter),
      })),
    ]),
  };
}

function labelOf(what: string, how: string, ageMs: number | undefined): string {
  return [what, how, ageMs === undefined ? "" : spanText(ageMs)].filter((part) => part !== "").join(" ");
}
