import { type Command, InvalidArgumentError, Option } from "commander";
import type { ColorMode, ProgressMode } from "./terminal.js";

/** What every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly color?: ColorMode;
}

export interface ProgressOptions {
  readonly progress?: ProgressMode;
}

export function addCommon(command: Command): Command {
  return command
    .option("--json", "data and errors as JSON")
    .addOption(
      new Option("--color <when>", "colour the output").choices(["auto", "always", "never"]).default("auto"),
    );
}

export function addProgress(command: Command): Command {
  return command.addOption(
    new Option("--progress <how>", "how to show the progress of a long read")
      .choices(["auto", "tty", "plain", "none"])
      .default("auto"),
  );
}

/** How lines are read and what is made of them: `report` and watching share it. */
export interface ReadOptions {
  readonly format?: string;
  readonly where?: string;
  readonly by?: readonly string[];
  readonly value?: readonly ValueOption[];
}

export interface ValueOption {
  readonly field: string;
  readonly unit: string;
}

export function addReading(command: Command): Command {
  return command
    .option("--format <format>", "json, combined, logfmt, or a regular expression\nwith named groups")
    .option("--where <cel>", "keep only events for which this CEL expression holds")
    .option("--by <field>", "split by a field, such as order.coin; may be repeated", collect)
    .option(
      "--value <field=unit>",
      "measure a field, such as duration_ms=ms; may be repeated",
      (text: string, previous: readonly ValueOption[] | undefined) => [...(previous ?? []), parseValue(text)],
    );
}

function collect(text: string, previous: readonly string[] | undefined): string[] {
  if (text === "") throw new InvalidArgumentError("Expected a field.");
  if (previous?.includes(text)) throw new InvalidArgumentError("It is there already.");
  return [...(previous ?? []), text];
}

/** A unit has no `=`, a field's name may have one: the last decides. */
function parseValue(text: string): ValueOption {
  const at = text.lastIndexOf("=");
  const field = text.slice(0, at);
  const unit = text.slice(at + 1).trim();
  if (at > 0 && unit !== "") return { field, unit };
  const name = at === -1 ? text : field || "duration";
  throw new InvalidArgumentError(
    `A number needs its unit: ${name}=ms (or ns us s m h bytes KiB MiB, or the word for what is counted).`,
  );
}

/** A whole number in a range, for commander. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number, ${min}..${max}.`);
  };
}
