export type { DecodeFailureReason, Decoder, DecodeSink } from "./decode-contract.js";
export { compileDecoder } from "./decoder.js";
export { ExpressionError, type ExpressionPlace, FieldPathError, FormatError } from "./errors.js";
export { compileCondition, compileExpression, type Expression } from "./expression.js";
export { type FieldPath, parsePath, pickPath, wholeEvent } from "./field-path.js";
export { type Format, parseFormat } from "./format.js";
export { compileTime, detectTime, type TimeFormat } from "./time.js";
