import { ProtobufReader } from "../../protobuf/index.js";

/** What a receiver of a request took only in part, or had to say of it. */
export interface OtlpPartialSuccess {
  /** Data points that it did not take; 0 when it only warns. */
  readonly rejectedPoints: number;
  readonly message: string;
}

/**
 * Reads an ExportMetricsServiceResponse (opentelemetry-proto 1.11, collector/metrics/v1/metrics_service.proto).
 * @returns undefined when all was taken without a word
 * @throws RangeError or SyntaxError when the bytes are none
 */
export function readOtlpResponse(bytes: Uint8Array, isJson: boolean): OtlpPartialSuccess | undefined {
  const partial = isJson ? partialOfJson(bytes) : partialOfProtobuf(new ProtobufReader(bytes));
  return partial === undefined || (partial.rejectedPoints === 0 && partial.message === "")
    ? undefined
    : partial;
}

function partialOfProtobuf(reader: ProtobufReader): OtlpPartialSuccess | undefined {
  let partial: OtlpPartialSuccess | undefined;
  while (reader.next()) {
    if (reader.field === 1) partial = reader.message(readPartial);
    else reader.skip();
  }
  return partial;
}

function readPartial(reader: ProtobufReader): OtlpPartialSuccess {
  let rejectedPoints = 0;
  let message = "";
  while (reader.next()) {
    if (reader.field === 1) rejectedPoints = Number(reader.int64());
    else if (reader.field === 2) message = reader.string();
    else reader.skip();
  }
  return { rejectedPoints, message };
}

function partialOfJson(bytes: Uint8Array): OtlpPartialSuccess | undefined {
  if (bytes.length === 0) return undefined;
  const { partialSuccess } = objectOf(JSON.parse(new TextDecoder().decode(bytes)));
  if (partialSuccess === undefined) return undefined;
  const { rejectedDataPoints = 0, errorMessage = "" } = objectOf(partialSuccess);
  return { rejectedPoints: Number(rejectedDataPoints), message: String(errorMessage) };
}

/** The message of a google.rpc.Status, which is the body of an answer that is no success; "" when there is none. */
export function readOtlpStatus(bytes: Uint8Array, isJson: boolean): string {
  if (isJson) return String(objectOf(JSON.parse(new TextDecoder().decode(bytes))).message ?? "");
  const reader = new ProtobufReader(bytes);
  let message = "";
  while (reader.next()) {
    if (reader.field === 2) message = reader.string();
    else reader.skip();
  }
  return message;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
