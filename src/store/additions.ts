import { type Cell, copyCell, countOf, mergeCell } from "./cell.js";
import type { Change, MetricKey } from "./contract.js";
import type { CellChange, Slot } from "./delta.js";
import type { Draft } from "./draft.js";
import { SettlementInvalidError, UnknownMetricError } from "./errors.js";
import type { Group } from "./group.js";
import { cellRecordKey, groupRecordKey, totalRecordKey } from "./keys.js";
import type { SlotLevel } from "./options.js";
import { floorTo, late, place } from "./slots.js";
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

interface MetricWork {
  readonly record: MetricRecord;
  nextGroupId: number;
  late: number;
  future: number;
  untimed: number;
  unpaired: number;
  /** Undefined once there are too many. */
  touched: Map<number, Group> | undefined;
  isChanged: boolean;
}

/** Adds a draft's cells to totals and slots: admits groups, places slots, counts what makes none. */
export class Additions {
  /** Cells of slots that were written, as a measure of the step's work. */
  cells = 0;
  readonly #draft: Draft;
  readonly #times: AdditionTimes;
  readonly #works = new Map<MetricKey, MetricWork>();

  constructor(draft: Draft, times: AdditionTimes) {
    this.#draft = draft;
    this.#times = times;
  }

  /** Takes `change.cell` over: the caller must not use it again. */
  add(metric: MetricKey, change: CellChange): void {
    const work = this.#work(metric);
    const groupId = this.#admit(work, change.group);
    const slot = this.placeable(metric, change.slot, countOf(change.cell));
    this.apply(metric, groupId, slot, change.cell);
  }

  /** The slot if it makes one now; else it is counted as untimed, future or late. */
  placeable(metric: MetricKey, slot: Slot | undefined, events: number): Slot | undefined {
    const work = this.#work(metric);
    const { levels, boundaries, futureAfterMs } = this.#times;
    if (slot === undefined) work.untimed += events;
    else if (slot.startMs > futureAfterMs) work.future += events;
    else if (work.record.definition.hasSlots === false) return undefined;
    else if (place(levels, boundaries, slot.startMs, slot.widthMs) === late) work.late += events;
    else return slot;
    return undefined;
  }

  /** Adds to the group's total and, with a slot that still has a place, to its cell. Takes `cell` over. */
  apply(metric: MetricKey, groupId: number, slot: Slot | undefined, cell: Cell): void {
    const work = this.#work(metric);
    this.#touch(work, groupId);
    addTotal(this.#draft, work.record.id, groupId, cell);
    if (slot === undefined) return;
    const { levels, boundaries } = this.#times;
    const level = place(levels, boundaries, slot.startMs, slot.widthMs);
    if (level === late) return;
    const startMs = floorTo(slot.startMs, levels[level]!.widthMs);
    addCell(this.#draft, work.record.id, groupId, level, startMs, cell);
    this.cells += 1;
  }

  /** The group's id, the overflow group's when the metric has as many as it may. */
  admit(metric: MetricKey, group: Group): number {
    return this.#admit(this.#work(metric), group);
  }

  noteUnpaired(metric: MetricKey): void {
    const work = this.#work(metric);
    work.unpaired += 1;
    work.isChanged = true;
  }

  record(metric: MetricKey): MetricRecord {
    return this.#work(metric).record;
  }

  /** Puts the metrics' own records and answers what changed. Nothing may be added afterwards. */
  finish(): Change["metrics"] {
    const changed: { metric: MetricKey; groups: Group[] | undefined }[] = [];
    for (const [metric, work] of this.#works) {
      if (!work.isChanged) continue;
      const { nextGroupId, late, future, untimed, unpaired, record } = work;
      const sinceMs = record.hasCells ? record.sinceMs : this.#times.nowMs;
      const counters = { nextGroupId, late, future, untimed, unpaired };
      this.#draft.put("metrics", metric, { ...record, ...counters, sinceMs, hasCells: true });
      changed.push({ metric, groups: work.touched === undefined ? undefined : [...work.touched.values()] });
    }
    return changed;
  }

  #work(metric: MetricKey): MetricWork {
    let work = this.#works.get(metric);
    if (work !== undefined) return work;
    const record = this.#draft.get("metrics", metric);
    if (record === undefined) throw new UnknownMetricError(metric);
    const { nextGroupId, late, future, untimed, unpaired } = record;
    work = { record, nextGroupId, late, future, untimed, unpaired, touched: new Map(), isChanged: false };
    this.#works.set(metric, work);
    return work;
  }

  #admit(work: MetricWork, group: Group): number {
    const { id: metricId, definition } = work.record;
    if (group.length !== definition.by.length)
      throw new SettlementInvalidError(
        `metric ${definition.name} groups by ${definition.by.length} fields, the delta by ${group.length}`,
      );
    const key = groupRecordKey(metricId, group);
    const known = this.#draft.get("groups", key);
    if (known !== undefined) return this.#named(work, known.id, group);
    if (work.nextGroupId > (definition.groupsMax ?? groupsMaxByDefault)) return overflowGroupId;
    const id = work.nextGroupId;
    work.nextGroupId += 1;
    this.#draft.put("groups", key, { metricId, id, group });
    return this.#named(work, id, group);
  }

  /** Remembers the group's name for the change, where it is at hand. */
  #named(work: MetricWork, id: number, group: Group): number {
    if (work.touched !== undefined && !work.touched.has(id)) this.#remember(work, id, group);
    return id;
  }

  #touch(work: MetricWork, groupId: number): void {
    work.isChanged = true;
    if (groupId !== overflowGroupId || work.touched === undefined || work.touched.has(groupId)) return;
    // The overflow group answers to the name that is all nulls, beside the real group of that name.
    this.#remember(
      work,
      groupId,
      work.record.definition.by.map(() => null),
    );
  }

  #remember(work: MetricWork, groupId: number, group: Group): void {
    if (work.touched === undefined) return;
    if (work.touched.size >= changedGroupsMax) work.touched = undefined;
    else work.touched.set(groupId, group);
  }
}

function addTotal(draft: Draft, metricId: number, groupId: number, cell: Cell): void {
  const key = totalRecordKey(metricId, groupId);
  const own = draft.own("totals", key);
  if (own !== undefined) {
    mergeCell(own.cell, cell);
    return;
  }
  const before = draft.get("totals", key);
  draft.put("totals", key, { metricId, groupId, cell: summed(before?.cell, cell) });
}

/** Adds to one cell, in place once the draft owns it. Takes `cell` over. */
export function addCell(
  draft: Draft,
  metricId: number,
  groupId: number,
  level: number,
  startMs: number,
  cell: Cell,
): void {
  const key = cellRecordKey(metricId, groupId, level, startMs);
  const own = draft.own("cells", key);
  if (own !== undefined) {
    mergeCell(own.cell, cell);
    return;
  }
  const before = draft.get("cells", key);
  const after = before === undefined ? cell : summed(before.cell, cell);
  draft.put("cells", key, { metricId, groupId, level, startMs, cell: after });
}

function summed(before: Cell | undefined, added: Cell): Cell {
  const sum = copyCell(before ?? added);
  if (before !== undefined) mergeCell(sum, added);
  return sum;
}
