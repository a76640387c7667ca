import { heldIn, taskOf } from "./frame.js";
import { type OrderFinding, OrderGraph, type OrderHold } from "./order/index.js";
import type { Frame, HeldPart, LockPart, Wanted } from "./parts.js";

/** Told of the same two classes once. */
const toldMax = 1_000;

/**
 * What may be wrong if locks that were taken by `acquire` are held by whoever runs in the same frame. That is a guess: of two children that run
 * side by side both see what one of them took. So nobody is stopped by it, and what is guessed here is not mixed with what is known: this graph has
 * both, the domain's own only the latter.
 */
export class Guesses {
  readonly #known: OrderGraph;
  readonly #told = new Set<string>();
  #order: OrderGraph | undefined;

  constructor(known: OrderGraph) {
    this.#known = known;
  }

  /** For all that is known for certain and that is new. */
  see(held: readonly OrderHold[], wanted: OrderHold, context: Parameters<OrderGraph["check"]>[3]): void {
    if (this.#order !== undefined) checkIn(this.#order, held, wanted, context);
  }

  /** @returns what to tell, each only once */
  about(
    core: LockPart,
    wanted: Wanted,
    frame: Frame,
    asked: {
      readonly asOrderHold: (hold: HeldPart) => OrderHold;
      readonly wanted: OrderHold;
      readonly isTimed: boolean;
    },
  ): readonly string[] {
    const certain = heldIn(frame);
    const guards = guardsIn(frame).filter((hold) => !certain.includes(hold));
    if (guards.length === 0) return [];
    const others = guards.filter((hold) => hold.core !== core && hold.core.reentryOf === undefined);
    const lines = [
      ...(guards.some((hold) => hold.core === core && excludes(hold, core, wanted))
        ? [
            this.#once(
              `self ${core.lockClass.name}`,
              `may wait for itself: it may hold ${core.label} already`,
            ),
          ]
        : []),
      ...others.filter((hold) => isBelow(core, hold.core)).map((hold) => this.#level(core, hold.core)),
    ];
    if (core.lockClass.checksOrder && frame.transaction === undefined) {
      const held = [...certain, ...others].filter(
        (hold) => hold.core !== core && hold.core.reentryOf === undefined,
      );
      const context = { task: taskOf(frame), isTimed: asked.isTimed };
      const finding = checkIn(this.#graph(), held.map(asked.asOrderHold), asked.wanted, context);
      if (finding !== undefined && finding.severity !== "gated")
        lines.push(this.#once(`order ${finding.message().split("\n")[0]}`, finding.message()));
    }
    return lines.filter((line) => line !== undefined);
  }

  #level(core: LockPart, other: LockPart): string | undefined {
    const { name, level } = core.lockClass;
    return this.#once(
      `level ${name} ${other.lockClass.name}`,
      `may take ${core.label} (level ${level}) while it holds ${other.label} (level ${other.lockClass.level}); levels are acquired upwards`,
    );
  }

  #once(key: string, line: string): string | undefined {
    if (this.#told.has(key) || this.#told.size >= toldMax) return undefined;
    this.#told.add(key);
    return line;
  }

  /** Begins with all that was known until then. */
  #graph(): OrderGraph {
    if (this.#order !== undefined) return this.#order;
    this.#order = new OrderGraph();
    for (const one of this.#known.evidence()) this.#order.learn(one);
    return this.#order;
  }
}

function checkIn(
  order: OrderGraph,
  held: readonly OrderHold[],
  wanted: OrderHold,
  context: Parameters<OrderGraph["check"]>[3],
): OrderFinding | undefined {
  const chain = held.reduce((outer, hold) => order.push(outer, hold), order.root);
  return order.check(chain, held, wanted, context);
}

/** Outermost first. */
function guardsIn(frame: Frame): readonly HeldPart[] {
  const guards: HeldPart[] = [];
  for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent)
    guards.unshift(...(outer.guards ?? []).filter((hold) => !hold.isReleased));
  return guards;
}

function excludes(hold: HeldPart, core: LockPart, { mode, weight }: Wanted): boolean {
  if (core.lockClass.kind === "read-write") return mode === "exclusive" || hold.mode === "exclusive";
  return hold.weight + weight > core.permits;
}

function isBelow({ lockClass, key }: LockPart, other: LockPart): boolean {
  const { level, compare } = lockClass;
  const held = other.lockClass.level;
  if (level === undefined || held === undefined || held < level) return false;
  const mayNest = other.lockClass === lockClass && compare !== undefined && compare(other.key, key) < 0;
  return held > level || !mayNest;
}
