export {
  BusyError,
  HostRefusedError,
  ListenError,
  NotFoundError,
  OriginRefusedError,
  QueryError,
  RequestError,
  TokenMissingError,
  TokenNeededError,
} from "./errors.js";
export { isLoopback } from "./guard.js";
export { openServer, type RunningServer, type ServerOptions } from "./open-server.js";
export type {
  MetricDescription,
  SeriesRequest,
  ServerSource,
  SourceFiles,
  SourceStatus,
} from "./source.js";
export type * from "./wire.js";
