import {
  bindSource,
  compileRules,
  Fold,
  type FoldLimits,
  type FoldPart,
  type Rules,
} from "../../src/pipeline/index.js";
import { type Cell, decodeDelta, defaultLevels, type Group } from "../../src/store/index.js";

const limits: FoldLimits = {
  cellsMax: 5000,
  failuresMax: 500,
  failedPartsMax: 8,
  lineBytesMax: 1024 * 1024,
  deadBytesMax: 64 * 1024,
  hasSlots: true,
  levels: defaultLevels,
};

/** A cell of a part, found by the metric's name. */
export interface FoldedCell {
  readonly metric: string;
  readonly group: Group;
  readonly slot: { readonly startMs: number; readonly widthMs: number } | undefined;
  readonly cell: Cell;
}

export interface Folded {
  readonly parts: readonly FoldPart[];
  readonly cells: readonly FoldedCell[];
}

/** Folds one text as the whole of a file of the first source. */
export function foldText(rules: Rules, text: string | Buffer, change: Partial<FoldLimits> = {}): Folded {
  const compiled = compileRules(rules);
  const source = rules.sources[0];
  if (source === undefined) throw new Error("the rules have no source");
  const fold = new Fold(bindSource(compiled, source), {
    ...limits,
    hasSlots: rules.hasSlots ?? true,
    ...change,
  });
  const bytes = Buffer.from(text);
  const range = {
    source: source.name,
    file: "f",
    path: "/f",
    start: 0,
    end: bytes.length,
    takenMs: 1_700_000_000_000,
  };
  const parts = fold.run(range, bytes);
  const names = new Map(compiled.definitions.map(({ key, name }) => [key, name]));
  const cells = parts.flatMap((part) =>
    decodeDelta(part.delta).add.flatMap(({ metric, changes }) =>
      changes.map((change) => ({ metric: names.get(metric) ?? metric, ...change })),
    ),
  );
  return { parts, cells };
}
