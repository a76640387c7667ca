export type { Chain, Link, Step } from "./chains.js";
export type { Evidence, HoldFact, OrderHold, Place } from "./evidence.js";
export type { OrderEdge, OrderFinding, OrderSeverity } from "./finding.js";
export { type OrderContext, type OrderDrop, OrderGraph, type OrderGraphOptions } from "./order-graph.js";
export type { Suppression } from "./suppressions.js";
