export { ByteReader, ByteWriter, compareBytes, copyBytes } from "./bytes.js";
export { type Clock, ManualClock, monotonicOriginMs, pause, systemClock } from "./clock.js";
export {
  codeOf,
  messageOf,
  OptionError,
  type PackedError,
  PoundlockError,
  packError,
  RemoteError,
  unpackError,
} from "./errors.js";
export { ignoreNotices, type Notice, type NoticeSink } from "./notices.js";
export { assertInvariant, integerOption } from "./options.js";
export { printable } from "./printable.js";
export { runWithin, timeOver } from "./time-limit.js";
export { turnInLine } from "./turn.js";
