export interface Served<Result> {
  readonly result: Result;
  readonly transfer?: readonly ArrayBuffer[];
}

/** Called once by a thread's entry module: answers each task with what `handle` returns or throws. */
export function serveTasks<Task, Result>(
  _handle: (task: Task) => Served<Result> | Promise<Served<Result>>,
): void {
  throw new Error("in work");
}
