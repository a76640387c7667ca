import type { Records, TableName, Tables, Write, WriteSet } from "./tables.js";

interface OwnWrite {
  readonly table: TableName;
  readonly key: string;
  record: Records[TableName] | undefined;
}

/**
 * What a step would change, laid over the tables without touching them. Records put here belong to the draft, and may
 * be changed in place until `finish`; those of the tables may not.
 */
export class Draft {
  readonly #tables: Tables;
  readonly #overlay = new Map<TableName, Map<string, OwnWrite>>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  get<Name extends TableName>(table: Name, key: string): Records[Name] | undefined {
    const own = this.#overlay.get(table)?.get(key);
    if (own !== undefined) return own.record as Records[Name] | undefined;
    return this.#tables[table].get(key) as Records[Name] | undefined;
  }

  /** The record if this draft has put it. */
  own<Name extends TableName>(table: Name, key: string): Records[Name] | undefined {
    return this.#overlay.get(table)?.get(key)?.record as Records[Name] | undefined;
  }

  put<Name extends TableName>(table: Name, key: string, record: Records[Name]): void {
    this.#write(table, key, record);
  }

  delete(table: TableName, key: string): void {
    this.#write(table, key, undefined);
  }

  /** The step's writes, table by table, in order of their first touch. */
  finish(): WriteSet {
    const writes: OwnWrite[] = [];
    for (const table of this.#overlay.values()) for (const write of table.values()) writes.push(write);
    return writes as readonly OwnWrite[] as readonly Write[];
  }

  #write(table: TableName, key: string, record: Records[TableName] | undefined): void {
    let overlay = this.#overlay.get(table);
    if (overlay === undefined) this.#overlay.set(table, (overlay = new Map()));
    const own = overlay.get(key);
    if (own === undefined) overlay.set(key, { table, key, record });
    else own.record = record;
  }
}
