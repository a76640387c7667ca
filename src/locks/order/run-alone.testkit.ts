import type { OrderFinding, OrderGraph, OrderHold } from "./index.js";
import type { Acquire, Program } from "./lock-programs.testkit.js";

/**
 * Runs the program while nobody else runs, and tells the graph as a lock would. Stops where the task would wait for itself.
 * @returns what the graph said
 */
export function runAlone(graph: OrderGraph, program: Program, isTimed = false): readonly OrderFinding[] {
  const said: OrderFinding[] = [];
  const held = new Map<number, OrderHold>();
  for (const [index, operation] of program.operations.entries()) {
    if (operation.kind === "release") {
      held.delete(operation.index);
      continue;
    }
    const hold = holdOf(operation);
    if (operation.isTry) {
      if (isFree(operation, held)) held.set(index, hold);
      continue;
    }
    const holds = [...held.values()];
    const chain = holds.reduce((outer, one) => graph.push(outer, one), graph.root);
    if (!graph.isValidated(chain, hold, isTimed)) {
      const finding = graph.check(chain, holds, hold, { task: program.name, isTimed });
      if (finding !== undefined) said.push(finding);
    }
    if (!isFree(operation, held)) break;
    held.set(index, hold);
  }
  return said;
}

function holdOf({ lock, mode, weight, isTry }: Acquire): OrderHold {
  return { lockClass: lock.lockClass, lock, key: lock.key, mode, weight, isTry, site: undefined };
}

/** Whether what the task itself holds lets it have the lock. */
function isFree({ lock, mode, weight }: Acquire, held: ReadonlyMap<number, OrderHold>): boolean {
  const own = [...held.values()].filter((hold) => hold.lock === lock);
  if (mode === "shared" && own.every((hold) => hold.mode === "shared")) return true;
  return own.reduce((sum, hold) => sum + hold.weight, 0) + weight <= lock.lockClass.permits;
}
