export { ProtobufReader, type ProtobufReaderOptions } from "./protobuf-reader.js";
export { ProtobufWriter } from "./protobuf-writer.js";
