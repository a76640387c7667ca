export type { Chain, Link, Step } from "./chains.js";
export { toDot, toMermaid } from "./drawing.js";
export type { Evidence, HoldFact, OrderHold, Place } from "./evidence.js";
export {
  diffOrders,
  type EdgeExport,
  isOrderExport,
  type OrderDifference,
  type OrderExport,
} from "./export.js";
export type { OrderEdge, OrderFinding, OrderSeverity } from "./finding.js";
export { mergeOrders } from "./merge.js";
export { type OrderContext, type OrderDrop, OrderGraph, type OrderGraphOptions } from "./order-graph.js";
export type { Suppression } from "./suppressions.js";
