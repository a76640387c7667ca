import { integerOption, OptionError } from "../base/index.js";
import { type Cell, copyCell, mergeCell } from "./cell.js";
import type { CellPage, CellQuery, GroupCells } from "./contract.js";
import { QueryUnknownMetricError } from "./errors.js";
import { compareGroups, type Group } from "./group.js";
import { groupRecordKey, totalRecordKey } from "./keys.js";
import type { SlotLevel } from "./options.js";
import { beginningMs, floorTo, late, place } from "./slots.js";
import type { State } from "./state.js";
import { type CellRecord, type MetricRecord, overflowGroupId } from "./tables.js";

const cellsMaxByDefault = 10_000;

/** What the boundaries are at the time of the read. */
export interface ReadTimes {
  readonly levels: readonly SlotLevel[];
  readonly boundaries: readonly number[];
  /** Where the last level would begin without the byte budget. */
  readonly naturalLastMs: number;
  readonly dataClockMs: number | undefined;
}

type GroupCell = GroupCells["cells"][number];

/** One stored slot, named by the slot that it belongs to now. */
interface Span {
  readonly startMs: number;
  readonly widthMs: number;
  readonly groups: ReadonlyMap<number, CellRecord>;
}

/** One page. Cells are copies, the caller's own. @throws QueryUnknownMetricError, OptionError */
export function readCells(state: State, query: CellQuery, times: ReadTimes): CellPage {
  const metric = state.tables.metrics.get(query.metric);
  if (metric === undefined) throw new QueryUnknownMetricError(query.metric);
  const cellsMax = integerOption("cellsMax", query.cellsMax, {
    default: cellsMaxByDefault,
    min: 1,
    max: 100_000,
  });
  const ids = groupIds(state, metric, query);
  const cellsOf =
    query.span === "total" ? totalsOf(state, metric) : slotsOf(state, metric, query, times, ids, cellsMax);
  const groups: GroupCells[] = [];
  let cells = 0;
  let next: string | undefined;
  for (const id of ids) {
    const found = cellsOf(id);
    if (found.length === 0) continue;
    if (cells > 0 && cells + found.length > cellsMax) {
      next = encodeAfter(groups.at(-1)!);
      break;
    }
    cells += found.length;
    groups.push({ group: groupOf(state, metric, id), isOverflow: id === overflowGroupId, cells: found });
  }
  return { ...pageHead(state, metric, times), groups, ...(next === undefined ? {} : { next }) };
}

function pageHead(state: State, metric: MetricRecord, times: ReadTimes): Omit<CellPage, "groups" | "next"> {
  const { generation, version, forcedMs } = state.meta;
  const { late, future, untimed, sinceMs, unpaired } = metric;
  const droppedMs = forcedMs.at(-1) ?? beginningMs;
  const isShort = droppedMs > beginningMs && droppedMs > times.naturalLastMs;
  return {
    generation,
    version,
    dataClockMs: times.dataClockMs,
    late,
    future,
    untimed,
    sinceMs,
    ...(unpaired === 0 ? {} : { unpaired }),
    ...(isShort ? { completeFromMs: droppedMs } : {}),
  };
}

/** Groups to look at, in order of their bytes, the overflow group last. */
function groupIds(state: State, metric: MetricRecord, query: CellQuery): readonly number[] {
  if (query.group !== undefined) {
    const known = state.tables.groups.get(groupRecordKey(metric.id, query.group))?.id;
    const isAllNull = query.group.every((value) => value === null);
    return [...(known === undefined ? [] : [known]), ...(isAllNull ? [overflowGroupId] : [])];
  }
  const sorted = state.sortedGroups(metric.id);
  if (query.after === undefined) return sorted;
  const after = decodeAfter(query.after);
  const { groups } = state.metric(metric.id);
  const from = sorted.findIndex((id) => id === overflowGroupId || compareGroups(groups.get(id)!, after) > 0);
  return sorted.slice(from);
}

function groupOf(state: State, metric: MetricRecord, id: number): Group {
  if (id === overflowGroupId) return metric.definition.by.map(() => null);
  return state.metric(metric.id).groups.get(id)!;
}

function totalsOf(state: State, metric: MetricRecord): (groupId: number) => readonly GroupCell[] {
  return (groupId) => {
    const total = state.tables.totals.get(totalRecordKey(metric.id, groupId));
    return total === undefined ? [] : [{ startMs: 0, widthMs: 0, cell: copyCell(total.cell) }];
  };
}

function slotsOf(
  state: State,
  metric: MetricRecord,
  query: CellQuery,
  times: ReadTimes,
  ids: readonly number[],
  cellsMax: number,
): (groupId: number) => readonly GroupCell[] {
  const spans = spansOf(state, metric, query, times);
  let stored = 0;
  for (const { groups } of spans) stored += groups.size;
  // Looking each group up in each span until the page is full, or walking all stored cells once: whichever is less.
  const lookups = stored === 0 ? 0 : Math.min(1, cellsMax / stored) * ids.length * spans.length;
  if (lookups <= stored) return (groupId) => merged(groupId, spans);
  const byGroup = new Map<number, Span[]>();
  for (const span of spans)
    for (const groupId of span.groups.keys()) {
      const own = byGroup.get(groupId);
      if (own === undefined) byGroup.set(groupId, [span]);
      else own.push(span);
    }
  return (groupId) => merged(groupId, byGroup.get(groupId) ?? []);
}

/** Stored slots whose present slot touches the window, in order of that slot. */
function spansOf(state: State, metric: MetricRecord, query: CellQuery, times: ReadTimes): readonly Span[] {
  if (query.span === "total") return [];
  const { fromMs, toMs } = query.span;
  const { levels, boundaries } = times;
  const spans: Span[] = [];
  for (const [level, slots] of state.metric(metric.id).levels.entries())
    for (const [storedMs, groups] of slots.starts) {
      const target = place(levels, boundaries, storedMs, levels[level]!.widthMs);
      if (target === late) continue;
      const { widthMs } = levels[target]!;
      const startMs = floorTo(storedMs, widthMs);
      if (startMs < toMs && startMs + widthMs > fromMs) spans.push({ startMs, widthMs, groups });
    }
  return spans.sort((a, b) => a.startMs - b.startMs || a.widthMs - b.widthMs);
}

/** One group's cells, those that lie in one slot now merged into one. */
function merged(groupId: number, spans: readonly Span[]): readonly GroupCell[] {
  const cells: { startMs: number; widthMs: number; cell: Cell }[] = [];
  for (const { startMs, widthMs, groups } of spans) {
    const record = groups.get(groupId);
    if (record === undefined) continue;
    const newest = cells.at(-1);
    if (newest?.startMs === startMs && newest.widthMs === widthMs) mergeCell(newest.cell, record.cell);
    else cells.push({ startMs, widthMs, cell: copyCell(record.cell) });
  }
  return cells;
}

function encodeAfter({ group }: GroupCells): string {
  return JSON.stringify(group);
}

function decodeAfter(after: string): Group {
  let value: unknown;
  try {
    value = JSON.parse(after);
  } catch {
    value = undefined;
  }
  const isGroup = Array.isArray(value) && value.every((item) => item === null || typeof item === "string");
  if (!isGroup)
    throw new OptionError("after", `Cannot read from ${after.slice(0, 100)}: it is no earlier page's next`);
  return value as Group;
}
