import type { LockClass, Mode } from "../kinds.js";
import type { Site } from "../site.js";
import { sizeOf } from "./sizes.js";

/** What is held, in order, as interned keys: the same sequence of classes and modes is the same object. */
export interface Chain {
  /** Number of holds; -1 where no more chains could be kept. */
  readonly depth: number;
  /** Where its innermost hold was first taken; set by whoever knows. */
  site: Site | undefined;
}

/** What of a hold tells chains apart. */
export interface Link {
  readonly lockClass: LockClass;
  readonly mode: Mode;
  readonly isTry: boolean;
  /** Permits; told apart as far as `sizeOf` does. @default 1 */
  readonly weight?: number;
}

/** What of an acquisition tells validated chains apart. */
export interface Step {
  readonly lockClass: LockClass;
  readonly mode: Mode;
  /** @default 1 */
  readonly weight?: number;
}

/** Two bits for the mode and for attempts, four for the size. */
const keysOfClass = 64;

const unseen = 0;
const seenTimed = 1;
const seen = 2;

class ChainNode implements Chain {
  readonly depth: number;
  site: Site | undefined = undefined;
  readonly parent: ChainNode | undefined;
  readonly key: number;
  /** Whether an outer hold is of the same class: then the instances decide, and the chain says nothing. */
  readonly isNested: boolean;
  epoch: number;
  state = unseen;
  // The child asked for last lies in the node itself; most nodes have one.
  lastKey = -1;
  last: ChainNode | undefined;
  children: Map<number, ChainNode> | undefined;

  constructor(parent: ChainNode | undefined, key: number, epoch: number) {
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.parent = parent;
    this.key = key;
    this.epoch = epoch;
    this.isNested = parent !== undefined && isNestedIn(parent, key);
  }
}

/** The trie of validated chains. Steady state asks nothing else. */
export class Chains {
  readonly #root: ChainNode = new ChainNode(undefined, -1, 0);
  readonly #unknown: ChainNode;
  readonly #classesMax: number;
  readonly #chainsMax: number;
  readonly #onDrop: (what: "chain" | "class") => void;
  #size = 1;
  #epoch = 0;

  constructor(
    limits: { readonly chainsMax: number; readonly classesMax: number },
    onDrop: (what: "chain" | "class") => void,
  ) {
    this.#chainsMax = limits.chainsMax;
    this.#classesMax = limits.classesMax;
    this.#onDrop = onDrop;
    this.#unknown = new ChainNode(undefined, -1, -1);
    (this.#unknown as { depth: number }).depth = -1;
  }

  get root(): Chain {
    return this.#root;
  }

  get size(): number {
    return this.#size;
  }

  push(chain: Chain, hold: Link): Chain {
    const { lockClass } = hold;
    if (lockClass.id >= this.#classesMax) {
      this.#onDrop("class");
      return chain;
    }
    const key = keyOf(hold) + (hold.isTry ? 2 : 0);
    const node = chain as ChainNode;
    if (node.lastKey === key && node.epoch === this.#epoch) return node.last!;
    return this.#childOf(node, key);
  }

  /** Whether an acquisition under this chain needs no look at what is held. `isTimed`: it gives up by itself, and so counts for less. */
  isValidated(chain: Chain, wanted: Step, isTimed: boolean): boolean {
    const node = chain as ChainNode;
    const { lockClass } = wanted;
    if (lockClass.id >= this.#classesMax || (node === this.#root && sizeOf(wanted.weight, lockClass) === 0))
      return true;
    if (node.epoch !== this.#epoch) return false;
    const key = keyOf(wanted);
    let child = node.last;
    if (node.lastKey !== key) {
      child = node.children?.get(key);
      if (child === undefined) return false;
      node.last = child;
      node.lastKey = key;
    }
    return !child!.isNested && child!.state >= (isTimed ? seenTimed : seen);
  }

  /** As `isValidated`, but says it of the edges alone: instances may still have to be compared. */
  hasEdges(chain: Chain, wanted: Step, isTimed: boolean): boolean {
    const child = find(chain as ChainNode, keyOf(wanted), this.#epoch);
    return child !== undefined && child.state >= (isTimed ? seenTimed : seen);
  }

  validate(chain: Chain, wanted: Step, isTimed: boolean): void {
    const child = this.#childOf(chain as ChainNode, keyOf(wanted));
    if (child !== this.#unknown) child.state = Math.max(child.state, isTimed ? seenTimed : seen);
  }

  /** Forgets every chain; those that somebody still holds are unknown from now on. */
  clear(): void {
    this.#epoch += 1;
    this.#root.epoch = this.#epoch;
    this.#root.lastKey = -1;
    this.#root.last = undefined;
    this.#root.children = undefined;
    this.#size = 1;
  }

  #childOf(node: ChainNode, key: number): ChainNode {
    const known = find(node, key, this.#epoch);
    if (known !== undefined) {
      node.lastKey = key;
      node.last = known;
      return known;
    }
    if (node.epoch !== this.#epoch) return this.#unknown;
    if (this.#size >= this.#chainsMax) {
      this.#onDrop("chain");
      return this.#unknown;
    }
    this.#size += 1;
    const child = new ChainNode(node, key, this.#epoch);
    if (node.last === undefined) {
      node.lastKey = key;
      node.last = child;
      return child;
    }
    node.children ??= new Map([[node.lastKey, node.last]]);
    node.children.set(key, child);
    node.lastKey = key;
    node.last = child;
    return child;
  }
}

function find(node: ChainNode, key: number, epoch: number): ChainNode | undefined {
  if (node.epoch !== epoch) return undefined;
  return node.lastKey === key ? node.last : node.children?.get(key);
}

function keyOf(step: Step): number {
  const { lockClass, mode, weight } = step;
  return lockClass.id * keysOfClass + (mode === "shared" ? 1 : 0) + 4 * sizeOf(weight, lockClass);
}

function isNestedIn(parent: ChainNode, key: number): boolean {
  const id = Math.floor(key / keysOfClass);
  for (let outer: ChainNode | undefined = parent; outer?.parent !== undefined; outer = outer.parent)
    if (Math.floor(outer.key / keysOfClass) === id) return true;
  return false;
}
