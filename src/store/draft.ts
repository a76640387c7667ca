import {
  type Records,
  type TableName,
  type Tables,
  tableNames,
  type Write,
  type WriteSet,
} from "./tables.js";

interface OwnWrite<Name extends TableName> {
  readonly table: Name;
  readonly key: string;
  record: Records[Name] | undefined;
}

/** One table with what the draft would change in it. */
export class DraftTable<Name extends TableName> {
  readonly writes: Map<string, OwnWrite<Name>> = new Map();
  readonly #name: Name;
  readonly #records: ReadonlyMap<string, Records[Name]>;

  constructor(name: Name, records: ReadonlyMap<string, Records[Name]>) {
    this.#name = name;
    this.#records = records;
  }

  get(key: string): Records[Name] | undefined {
    const own = this.writes.get(key);
    return own === undefined ? this.#records.get(key) : own.record;
  }

  put(key: string, record: Records[Name] | undefined): void {
    const own = this.writes.get(key);
    if (own === undefined) this.writes.set(key, { table: this.#name, key, record });
    else own.record = record;
  }

  /** The draft's own record, or else the committed one: the hot path, hence one look into each map. */
  look(key: string): { readonly own: Records[Name] | undefined; readonly before: Records[Name] | undefined } {
    const write = this.writes.get(key);
    if (write !== undefined) return { own: write.record, before: undefined };
    return { own: undefined, before: this.#records.get(key) };
  }
}

/**
 * What a step would change, laid over the tables without touching them. Records put here belong to the draft, and may
 * be changed in place until `finish`; those of the tables may not.
 */
export class Draft {
  readonly #tables: { readonly [Name in TableName]: DraftTable<Name> };

  constructor(tables: Tables) {
    const drafts = tableNames.map((name) => [name, new DraftTable(name, tables[name] as Map<string, never>)]);
    this.#tables = Object.fromEntries(drafts);
  }

  table<Name extends TableName>(name: Name): DraftTable<Name> {
    return this.#tables[name];
  }

  get<Name extends TableName>(table: Name, key: string): Records[Name] | undefined {
    return this.table(table).get(key);
  }

  /** Whether this draft changes the record. */
  hasOwn(table: TableName, key: string): boolean {
    return this.#tables[table].writes.has(key);
  }

  put<Name extends TableName>(table: Name, key: string, record: Records[Name]): void {
    this.table(table).put(key, record);
  }

  delete(table: TableName, key: string): void {
    (this.#tables[table] as DraftTable<TableName>).put(key, undefined);
  }

  /** The step's writes, table by table, in order of their first touch. */
  finish(): WriteSet {
    const writes: unknown[] = [];
    for (const name of tableNames) for (const write of this.#tables[name].writes.values()) writes.push(write);
    return writes as readonly Write[];
  }
}
