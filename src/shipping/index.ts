export type { MetricAnswer, Query, QueryRequest, SeriesAnswer, SeriesRequest } from "../pipeline/index.js";
export { defineShipped } from "./define-shipped.js";
export { ShippingUnsettledError } from "./errors.js";
export { queryShipped } from "./query-shipped.js";
export {
  MetricsShipping,
  type ShippedSource,
  type ShippingOptions,
  type ShippingStatus,
  shipMetrics,
} from "./shipping.js";
