export {
  PoolClosedError,
  ThreadDiedError,
  ThreadFailedError,
  ThreadHungError,
  ThreadStartError,
} from "./errors.js";
export { ThreadPool, type ThreadPoolOptions } from "./pool.js";
export { type Served, serveTasks } from "./serve.js";
