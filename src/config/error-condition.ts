import { fieldExpression } from "./field-expression.js";
import type { FieldStatistics } from "./field-statistics.js";

const levelWords = ["error", "err", "fatal", "critical", "crit", "alert", "emerg", "panic", "severe"];
const calmWords = ["trace", "debug", "info", "notice", "warn", "warning"];

/** The condition that makes an event an error, when the field is a status or a level; undefined for any other. */
export function errorCondition(field: FieldStatistics): { cel: string; says: string } | undefined {
  const name = field.path.slice(field.path.lastIndexOf(".") + 1).toLowerCase();
  const field$ = fieldExpression(field.path);
  if (["status", "status_code", "statuscode"].includes(name)) {
    const isHttp = field.values.every(
      (value) => Number.isInteger(value) && Number(value) >= 100 && Number(value) < 600,
    );
    return isHttp ? { cel: `${field$} >= 500`, says: `${field.path} >= 500` } : undefined;
  }
  if (!["level", "severity", "lvl", "loglevel", "log_level"].includes(name)) return undefined;
  const spellings = [...field.distinct];
  // pino writes levels as numbers: 50 is error, 60 fatal.
  if (
    field.values.every((value) => typeof value === "number" && value % 10 === 0 && value >= 10 && value <= 60)
  ) {
    return { cel: `${field$} >= 50`, says: `${field.path} >= 50` };
  }
  if (!spellings.some((word) => [...levelWords, ...calmWords].includes(word.toLowerCase()))) return undefined;
  const words = levelWords.map(spellingLike(spellings.find((word) => /\p{L}/u.test(word)) ?? ""));
  const present = spellings.filter((word) => levelWords.includes(word.toLowerCase()));
  return {
    cel: `${field$} in ${JSON.stringify(words)}`,
    says: `${field.path} is ${(present.length > 0 ? present : words.slice(0, 2)).join(" or ")}`,
  };
}

/** Writes a word as the sample is written: `error`, `ERROR` or `Error`. */
function spellingLike(sample: string): (word: string) => string {
  if (sample === sample.toUpperCase()) return (word) => word.toUpperCase();
  if (sample[0] === sample[0]?.toUpperCase()) return (word) => word[0]!.toUpperCase() + word.slice(1);
  return (word) => word;
}
