import { OptionError } from "../base/index.js";

/** The schemas of Prometheus' native histograms. OTLP's scales go further; those above 8 can be brought down to it. */
export const schemaMin = -4;
export const schemaMax = 8;
/** The schema of `Histogram`. */
export const usualSchema = 5;

/** @throws OptionError when the schema is not a whole number in -4..`highest` */
export function checkSchema(schema: number, highest: number = schemaMax): void {
  if (Number.isInteger(schema) && schema >= schemaMin && schema <= highest) return;
  throw new OptionError(
    "schema",
    `Cannot make buckets: schema = ${schema} is not a whole number in ${schemaMin}..${highest}`,
  );
}
