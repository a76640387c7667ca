import { type Cell, copyCell, countOf, mergeCell } from "./cell.js";
import type { CellChange, Slot } from "./delta.js";
import type { Draft } from "./draft.js";
import { SettlementInvalidError } from "./errors.js";
import { type Group, groupKey } from "./group.js";
import { cellRecordKey, groupRecordKey, totalRecordKey } from "./keys.js";
import type { SlotLevel } from "./options.js";
import { floorTo, late, place } from "./slots.js";
import type { State } from "./state.js";
import { type MetricRecord, overflowGroupId } from "./tables.js";

const groupsMaxByDefault = 10_000;
/** Beyond it a change names the metric alone. */
const changedGroupsMax = 1_000;

export interface AdditionTimes {
  readonly nowMs: number;
  /** Latest event time that may make a slot. */
  readonly futureAfterMs: number;
  readonly levels: readonly SlotLevel[];
  readonly boundaries: readonly number[];
}

/** One metric's share of a draft: admits groups, places slots, counts what makes none. */
export class MetricAdditions {
  /** Cells that did not exist before: as many have to age in the long run. */
  newCells = 0;
  readonly record: MetricRecord;
  readonly #state: State;
  readonly #draft: Draft;
  readonly #times: AdditionTimes;
  /** Ids of groups met in this draft, by `groupKey`: most changes are of a group met before. */
  readonly #admitted = new Map<string, number>();
  readonly #newGroups = new Map<number, Group>();
  /** Totals that the draft owns; their groups are those that changed. */
  readonly #totals = new Map<number, Cell>();
  #nextGroupId: number;
  #late = 0;
  #future = 0;
  #untimed = 0;
  #unpaired = 0;

  constructor(state: State, draft: Draft, times: AdditionTimes, record: MetricRecord) {
    this.#state = state;
    this.#draft = draft;
    this.#times = times;
    this.record = record;
    this.#nextGroupId = record.nextGroupId;
  }

  /** Takes `change.cell` over: the caller must not use it again. */
  add(change: CellChange): void {
    const groupId = this.admit(change.group);
    this.apply(groupId, this.placeable(change.slot, countOf(change.cell)), change.cell);
  }

  /** The slot if it makes one now; else it is counted as untimed, future or late. */
  placeable(slot: Slot | undefined, events: number): Slot | undefined {
    const { levels, boundaries, futureAfterMs } = this.#times;
    if (slot === undefined) this.#untimed += events;
    else if (slot.startMs > futureAfterMs) this.#future += events;
    else if (this.record.definition.hasSlots === false) return undefined;
    else if (place(levels, boundaries, slot.startMs, slot.widthMs) === late) this.#late += events;
    else return slot;
    return undefined;
  }

  /** Adds to the group's total and, with a slot that still has a place, to its cell. Takes `cell` over. */
  apply(groupId: number, slot: Slot | undefined, cell: Cell): void {
    this.#addTotal(groupId, cell);
    if (slot === undefined) return;
    const { levels, boundaries } = this.#times;
    const level = place(levels, boundaries, slot.startMs, slot.widthMs);
    if (level === late) return;
    const startMs = floorTo(slot.startMs, levels[level]!.widthMs);
    if (addCell(this.#draft, { metricId: this.record.id, groupId, level, startMs }, cell)) this.newCells += 1;
  }

  /** The group's id, the overflow group's when the metric has as many as it may. */
  admit(group: Group): number {
    const shortKey = groupKey(group);
    let id = this.#admitted.get(shortKey);
    if (id === undefined) this.#admitted.set(shortKey, (id = this.#lookUp(group)));
    return id;
  }

  noteUnpaired(): void {
    this.#unpaired += 1;
  }

  /** Puts the metric's own record. @returns the groups that changed; undefined when more than 1,000 did */
  finish(): readonly Group[] | undefined {
    const { record } = this;
    this.#draft.put("metrics", record.definition.key, {
      ...record,
      sinceMs: record.hasCells ? record.sinceMs : this.#times.nowMs,
      hasCells: true,
      nextGroupId: this.#nextGroupId,
      late: record.late + this.#late,
      future: record.future + this.#future,
      untimed: record.untimed + this.#untimed,
      unpaired: record.unpaired + this.#unpaired,
    });
    if (this.#totals.size > changedGroupsMax) return undefined;
    return [...this.#totals.keys()].map((id) => this.#nameOf(id));
  }

  #lookUp(group: Group): number {
    const { id: metricId, definition } = this.record;
    if (group.length !== definition.by.length)
      throw new SettlementInvalidError(
        `metric ${definition.name} groups by ${definition.by.length} fields, the delta by ${group.length}`,
      );
    const key = groupRecordKey(metricId, group);
    const known = this.#draft.get("groups", key);
    if (known !== undefined) return known.id;
    if (this.#nextGroupId > (definition.groupsMax ?? groupsMaxByDefault)) return overflowGroupId;
    const id = this.#nextGroupId;
    this.#nextGroupId += 1;
    this.#draft.put("groups", key, { metricId, id, group });
    this.#newGroups.set(id, group);
    return id;
  }

  #addTotal(groupId: number, cell: Cell): void {
    const own = this.#totals.get(groupId);
    if (own !== undefined) {
      mergeCell(own, cell);
      return;
    }
    const metricId = this.record.id;
    const key = totalRecordKey(metricId, groupId);
    const total = summed(this.#draft.get("totals", key)?.cell, cell);
    this.#draft.put("totals", key, { metricId, groupId, cell: total });
    this.#totals.set(groupId, total);
  }

  /** The overflow group goes by the name that is all nulls, beside the real group of that name. */
  #nameOf(groupId: number): Group {
    const { id, definition } = this.record;
    if (groupId === overflowGroupId) return definition.by.map(() => null);
    return this.#newGroups.get(groupId) ?? this.#state.metric(id).groups.get(groupId)!;
  }
}

export interface CellPlace {
  readonly metricId: number;
  readonly groupId: number;
  readonly level: number;
  readonly startMs: number;
}

/** Adds to one cell, in place once the draft owns it. Takes `cell` over. @returns whether the cell is a new one */
export function addCell(draft: Draft, at: CellPlace, cell: Cell): boolean {
  const { metricId, groupId, level, startMs } = at;
  const key = cellRecordKey(metricId, groupId, level, startMs);
  const { own, before } = draft.table("cells").look(key);
  if (own !== undefined) {
    mergeCell(own.cell, cell);
    return false;
  }
  const after = before === undefined ? cell : summed(before.cell, cell);
  draft.put("cells", key, { metricId, groupId, level, startMs, cell: after });
  return before === undefined;
}

function summed(before: Cell | undefined, added: Cell): Cell {
  const sum = copyCell(before ?? added);
  if (before !== undefined) mergeCell(sum, added);
  return sum;
}
