import { integerOption } from "../base/index.js";
import type { MetricDefinition } from "./contract.js";
import type { Draft } from "./draft.js";
import { MetricRedefinedError } from "./errors.js";
import { metaKey } from "./keys.js";
import type { State } from "./state.js";

/**
 * Makes metrics known; repeating a definition changes nothing.
 * @throws MetricRedefinedError when a key stands for other cells; then none of the definitions is taken
 */
export function define(
  state: State,
  draft: Draft,
  metrics: readonly MetricDefinition[],
  nowMs: number,
): void {
  let { nextMetricId } = state.meta;
  for (const definition of metrics) {
    const { key, kind, by, groupsMax } = definition;
    integerOption("groupsMax", groupsMax, { default: 1, min: 1, max: 1_000_000 });
    const known = draft.get("metrics", key);
    if (known === undefined) {
      draft.put("metrics", key, {
        id: nextMetricId,
        definition,
        sinceMs: nowMs,
        hasCells: false,
        nextGroupId: 1,
        late: 0,
        future: 0,
        untimed: 0,
        unpaired: 0,
      });
      nextMetricId += 1;
      continue;
    }
    const isSame = known.definition.kind === kind && sameFields(known.definition.by, by);
    if (!isSame) throw new MetricRedefinedError(key);
    // Bounds and names may change without touching a cell.
    if (JSON.stringify(known.definition) !== JSON.stringify(definition))
      draft.put("metrics", key, { ...known, definition });
  }
  if (nextMetricId !== state.meta.nextMetricId) draft.put("meta", metaKey, { ...state.meta, nextMetricId });
}

function sameFields(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((field, index) => field === b[index]);
}
