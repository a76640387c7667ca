export type * from "./answer.js";
export type * from "./rules.js";
