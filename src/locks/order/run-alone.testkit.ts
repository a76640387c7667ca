import type { OrderContext, OrderFinding, OrderGraph, OrderHold } from "./index.js";
import type { Acquire, Program } from "./lock-programs.testkit.js";

/**
 * Runs the program while nobody else runs, and tells the graph as a lock would. Stops where the task would wait for itself. A program that goes on
 * without what it only tried runs both ways, since what was never run can't be known.
 * @returns what the graph said
 */
export function runAlone(graph: OrderGraph, program: Program, isTimed = false): readonly OrderFinding[] {
  const tries = program.operations.flatMap((one, index) =>
    one.kind === "acquire" && one.isTry ? [index] : [],
  );
  const ways = program.goesOnWithout ? 2 ** tries.length : 1;
  return Array.from({ length: ways }, (_, way) => {
    const failing = new Set(tries.filter((_one, bit) => (way & (1 << bit)) !== 0));
    return runOneWay(graph, program, { failing, isTimed });
  }).flat();
}

function runOneWay(
  graph: OrderGraph,
  { name, operations, goesOnWithout }: Program,
  { failing, isTimed }: { readonly failing: ReadonlySet<number>; readonly isTimed: boolean },
): readonly OrderFinding[] {
  const said: OrderFinding[] = [];
  const held = new Map<number, OrderHold>();
  for (const [index, operation] of operations.entries()) {
    if (operation.kind === "release") held.delete(operation.index);
    if (operation.kind === "release" || failing.has(index)) continue;
    const hold = holdOf(operation);
    if (!operation.isTry) said.push(...ask(graph, [...held.values()], hold, { task: name, isTimed }));
    const isFree = mayHave(operation, held);
    if (!isFree && !(operation.isTry && goesOnWithout)) break;
    if (isFree) held.set(index, hold);
  }
  return said;
}

function ask(
  graph: OrderGraph,
  held: readonly OrderHold[],
  wanted: OrderHold,
  context: OrderContext,
): readonly OrderFinding[] {
  const chain = held.reduce((outer, one) => graph.push(outer, one), graph.root);
  if (graph.isValidated(chain, wanted, context.isTimed)) return [];
  const finding = graph.check(chain, held, wanted, context);
  return finding === undefined ? [] : [finding];
}

function holdOf({ lock, mode, weight, isTry }: Acquire): OrderHold {
  return { lockClass: lock.lockClass, lock, key: lock.key, mode, weight, isTry, site: undefined };
}

/** Whether what the task itself holds lets it have the lock. */
function mayHave({ lock, mode, weight }: Acquire, held: ReadonlyMap<number, OrderHold>): boolean {
  const own = [...held.values()].filter((hold) => hold.lock === lock);
  if (mode === "shared" && own.every((hold) => hold.mode === "shared")) return true;
  return own.reduce((sum, hold) => sum + hold.weight, 0) + weight <= lock.lockClass.permits;
}
