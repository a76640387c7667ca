import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const dir = fileURLToPath(new URL("../../../test/kit/proto/", import.meta.url));

/** A message type of a schema in test/kit/proto, by its full name, such as `io.prometheus.client.MetricFamily`. */
export function messageType(file: string, name: string): protobuf.Type {
  const root = new protobuf.Root();
  // protobufjs has Google's own types, such as Timestamp, built in.
  root.resolvePath = (_, target) => (target.startsWith("google/") ? target : `${dir}${target}`);
  return root.loadSync(file).resolveAll().lookupType(name);
}

/** As plain data: enums as numbers, 64-bit integers as decimals, doubles as they are; what the bytes left out is left out. */
export function plain(type: protobuf.Type, message: protobuf.Message): Record<string, unknown> {
  return type.toObject(message, { longs: String });
}
