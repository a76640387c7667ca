export { compileDecoder, type DecodeFailureReason, type Decoder, type DecodeSink } from "./decoder.js";
export { compileExpression, type Expression } from "./expression.js";
export { type FieldPath, parsePath, wholeEvent } from "./field-path.js";
export { type Format, parseFormat } from "./format.js";
export { compileTime, type TimeFormat } from "./time.js";
