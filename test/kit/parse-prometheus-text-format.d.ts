/** What tests take of parse-prometheus-text-format; the package has no types of its own. */
declare module "parse-prometheus-text-format" {
  /** @throws when the text is malformed */
  export default function parse(text: string): {
    readonly name: string;
    readonly help: string;
    readonly type: "COUNTER" | "GAUGE" | "HISTOGRAM" | "SUMMARY" | "UNTYPED";
    readonly metrics: readonly {
      readonly labels?: Readonly<Record<string, string>>;
      readonly value?: string;
      /** Of a histogram: cumulative counts by edge. */
      readonly buckets?: Readonly<Record<string, string>>;
      readonly sum?: string;
      readonly count?: string;
    }[];
  }[];
}
