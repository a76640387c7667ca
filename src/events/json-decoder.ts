import type { Decoder, DecodeSink } from "./decode-contract.js";
import { type FieldPath, pickPath } from "./field-path.js";
import { findJsonFault } from "./json-fault.js";

/**
 * Decodes by a full `JSON.parse`: what every quicker decoder must agree with, and what they fall back to.
 *
 * With `explode`, each element of the array at that path is an event: fields are looked for in the element, and where it
 * lacks them in the line around it.
 */
export class JsonDecoder implements Decoder {
  readonly #paths: readonly FieldPath[];
  readonly #explode: FieldPath | undefined;
  readonly #values: unknown[];
  #index = 0;

  constructor(paths: readonly FieldPath[], explode?: FieldPath) {
    this.#paths = paths;
    this.#explode = explode;
    this.#values = new Array(paths.length).fill(undefined);
  }

  decode(text: string, start: number, end: number, sink: DecodeSink): void {
    const line = text.slice(start, end);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      sink.failure("parse", `Cannot parse line as JSON: ${findJsonFault(line) ?? String(error)}`, 0);
      return;
    }
    this.#index = 0;
    if (Array.isArray(value)) for (const element of value) this.#record(element, sink);
    else this.#record(value, sink);
  }

  #record(value: unknown, sink: DecodeSink): void {
    if (!isObject(value)) {
      sink.failure(
        "shape",
        `Cannot take an event from JSON: expected an object, found ${kindOf(value)}`,
        this.#index++,
      );
      return;
    }
    if (this.#explode === undefined) {
      for (let i = 0; i < this.#paths.length; i++) this.#values[i] = pickPath(value, this.#paths[i]!.keys);
      sink.event(this.#values, this.#index++);
      return;
    }
    this.#elements(value, this.#explode, sink);
  }

  #elements(outer: Record<string, unknown>, explode: FieldPath, sink: DecodeSink): void {
    const elements = pickPath(outer, explode.keys);
    if (!Array.isArray(elements)) {
      const message = `Cannot take events from ${explode.text}: expected an array, found ${kindOf(elements)}`;
      sink.failure("shape", message, this.#index++);
      return;
    }
    for (const element of elements) {
      if (!isObject(element)) {
        const message = `Cannot take an event from ${explode.text}: expected an object, found ${kindOf(element)}`;
        sink.failure("shape", message, this.#index++);
        continue;
      }
      for (let i = 0; i < this.#paths.length; i++) {
        const { keys } = this.#paths[i]!;
        if (keys.length === 0) this.#values[i] = { ...outer, ...element };
        else {
          const inner = pickPath(element, keys);
          this.#values[i] = inner === undefined ? pickPath(outer, keys) : inner;
        }
      }
      sink.event(this.#values, this.#index++);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
