import { MetricLabelsError } from "../errors.js";
import type { Binding, ThreadPlace } from "../memory/binding.js";
import type { Family } from "../memory/families.js";
import { word } from "../memory/layout.js";

type Level<B> = Map<unknown, Level<B> | B>;
type LabelObject = Readonly<Record<string, unknown>>;

/**
 * The bindings that a thread has for one metric, found by label values through nested maps: no string is built, so nothing can
 * collide, and the usual record costs one look-up per label.
 */
export class Bindings<B extends Binding> {
  readonly #place: ThreadPlace;
  readonly #family: Family;
  readonly #names: readonly string[];
  readonly #make: (values: readonly string[]) => B;
  #levels: Level<B> = new Map();
  #only: B | undefined;
  #forgotten = 0;

  constructor(place: ThreadPlace, family: Family, make: (values: readonly string[]) => B) {
    this.#place = place;
    this.#family = family;
    this.#names = family.definition.labels;
    this.#make = make;
  }

  /** @throws MetricLabelsError when the labels are not exactly those of the metric */
  of(labels: LabelObject | undefined): B {
    const names = this.#names;
    if (names.length === 0 && labels === undefined) return (this.#only ??= this.#make([]));
    if (labels === undefined || labels === null) throw this.#wrongLabels({});
    let level: unknown = this.#levels;
    let count = 0;
    // In the metric's own order, as most are written, the values come with the names: a third less than asking for each.
    for (const name in labels) {
      if (name !== names[count]) return this.#inAnyOrder(labels);
      level = (level as Level<B>).get(labels[name]);
      if (level === undefined) return this.#inAnyOrder(labels);
      count += 1;
    }
    if (count !== names.length) throw this.#wrongLabels(labels);
    return count === 0 ? (this.#only ??= this.#make([])) : (level as B);
  }

  #inAnyOrder(labels: LabelObject): B {
    const names = this.#names;
    let count = 0;
    for (const _name in labels) count += 1;
    if (count !== names.length) throw this.#wrongLabels(labels);
    let level: unknown = this.#levels;
    for (let i = 0; i < names.length; i += 1) {
      level = (level as Level<B>).get(labels[names[i]!]);
      if (level === undefined) return this.#add(labels);
    }
    return level as B;
  }

  #add(labels: LabelObject): B {
    const names = this.#names;
    // Read once: a getter may say another value the next time, which would then find this one's series for ever.
    const given = names.map((name) => (Object.hasOwn(labels, name) ? labels[name] : undefined));
    const values = given.map((value) => {
      if (typeof value === "string") return value;
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      throw this.#wrongLabels(labels);
    });
    const binding = this.#make(values);
    // What the cap or the memory refused may be without end, so it is not kept.
    if (binding.isOverflow || binding.block === 0) return binding;
    this.#forgetExpired();
    let level = this.#levels;
    for (const value of given.slice(0, -1)) {
      let next = level.get(value) as Level<B> | undefined;
      if (next === undefined) level.set(value, (next = new Map()));
      level = next;
    }
    level.set(given.at(-1), binding);
    return binding;
  }

  /** Series have expired somewhere: start again, rather than keep their labels for ever. */
  #forgetExpired(): void {
    const forgotten = this.#place.writer.i32[word.forgotten]!;
    if (forgotten === this.#forgotten) return;
    this.#forgotten = forgotten;
    this.#levels = new Map();
  }

  #wrongLabels(labels: LabelObject): MetricLabelsError {
    const { name } = this.#family.definition;
    const names = this.#names;
    const wanted = names.length === 0 ? "it has no labels" : `it has the labels ${names.join(", ")}`;
    const missing = names.filter((one) => labels[one] === undefined || labels[one] === null);
    const unknown = Object.keys(labels).filter((one) => !names.includes(one));
    const odd = names.filter(
      (one) =>
        labels[one] !== null && ["object", "function", "symbol", "bigint"].includes(typeof labels[one]),
    );
    const parts = [
      ...missing.map((one) => `${one} is missing`),
      ...unknown.map((one) => `${one} is unknown`),
      ...odd.map((one) => `${one} is neither text nor number nor boolean`),
    ];
    return new MetricLabelsError(name, `${wanted}${parts.length === 0 ? "" : `; ${parts.join(", ")}`}`);
  }
}
