/** Label names and values as the user knows them; the writer makes the names legal and escapes the values. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** One observation series of a histogram: buckets hold their own counts, not running totals. */
export interface HistogramSample {
  readonly labels?: Labels;
  /** Ascending by `upper`, which is inclusive; what lies above the last goes to `+Inf`. */
  readonly buckets: readonly { readonly upper: number; readonly count: number }[];
  /** Of all observations, the ones above the last bucket included. */
  readonly count: number;
  readonly sum: number;
}

/** One metric of an exposition with all its label sets. */
export type Family = {
  /** Any text; `_total` of a counter is added when missing. */
  readonly name: string;
  readonly help: string;
} & (
  | { readonly kind: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly kind: "histogram"; readonly samples: readonly HistogramSample[] }
);
