import { Environment, EvaluationError } from "@marcbachmann/cel-js";

/** Named in rewritten expressions in place of `matches`: the library lets nobody replace a built-in method. */
export const boundedMatches = "bounded_matches";

/** 4 KiB and 256 characters: what a pattern without backtracking traps does in microseconds. Traps are the thread limit's job. */
const inputLengthMax = 4096;
const patternLengthMax = 256;
/** Patterns are literals nearly always; 64 holds a pattern that comes from a field from growing without end. */
const patternsKeptMax = 64;

const mixed = [
  ["int", "double"],
  ["double", "int"],
] as const;
const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": remainder,
};

/**
 * CEL with every unknown name a dynamic variable and with arithmetic between integers and doubles: all numbers of JSON are
 * doubles, all whole literals integers, and nobody should have to know.
 */
export const celEnvironment: Environment = makeEnvironment();

function makeEnvironment(): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  for (const [operator, compute] of Object.entries(arithmetic)) {
    const compose = (a: number | bigint, b: number | bigint): number => compute(Number(a), Number(b));
    for (const [left, right] of mixed)
      environment.registerOperator(`${left} ${operator} ${right}: double`, compose);
  }
  environment.registerOperator("double % double: double", remainder);
  // biome-ignore lint/suspicious/noDoubleEquals: JavaScript compares bigint with number exactly, by value
  environment.registerOperator("int == double", (a: bigint, b: number) => a == (b as unknown as bigint));
  return environment.registerFunction(`string.${boundedMatches}(string): bool`, matchBounded, {
    async: false,
  });
}

function remainder(a: number, b: number): number {
  if (b === 0) throw new EvaluationError("modulo by zero");
  return a % b;
}

const patterns = new Map<string, RegExp>();

/** The compiled form of a pattern for `matches`. @throws EvaluationError */
export function patternOf(source: string): RegExp {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  if (source.length > patternLengthMax)
    throw new EvaluationError(
      `matches: the pattern has ${source.length} characters, at most ${patternLengthMax} are taken`,
    );
  try {
    const pattern = new RegExp(source);
    if (patterns.size >= patternsKeptMax) patterns.clear();
    patterns.set(source, pattern);
    return pattern;
  } catch (error) {
    throw new EvaluationError(`matches: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function matchBounded(input: string, source: string): boolean {
  if (input.length > inputLengthMax)
    throw new EvaluationError(
      `matches: the text has ${input.length} characters, at most ${inputLengthMax} are searched`,
    );
  return patternOf(source).test(input);
}
