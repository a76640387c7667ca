/** The part of async-lock that is measured; the package has no types of its own. */
declare module "async-lock" {
  export default class AsyncLock {
    acquire(key: string, body: () => unknown): Promise<unknown>;
  }
}
