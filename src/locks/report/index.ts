export type * from "./report-data.js";
export { reportDot, reportMermaid } from "./report-graph.js";
export { isLocksDocument, type LocksDocument, locksDocument } from "./report-json.js";
export { type ReportTextOptions, reportText } from "./report-text.js";
export { hasStuckTasks } from "./wait-picture.js";
