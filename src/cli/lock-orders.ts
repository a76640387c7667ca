import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "../base/index.js";
import { isLocksDocument, isOrderExport, type OrderExport } from "../locks/index.js";
import { InputError } from "./errors.js";

/**
 * The orders in files: of each domain of a report, or an order by itself.
 * @throws InputError when one can't be read or is neither
 */
export async function readOrders(files: readonly string[], folder: string): Promise<OrderExport[]> {
  const orders = await Promise.all(files.map((file) => ordersOf(resolve(folder, file))));
  return orders.flat();
}

async function ordersOf(path: string): Promise<OrderExport[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new InputError(path, messageOf(error), { cause: error });
  });
  const value = parsed(text);
  if (isOrderExport(value)) return [value];
  if (isLocksDocument(value)) return value.domains.map(({ order }) => order).filter(isOrderExport);
  throw new InputError(path, "it is neither a report of locks nor an order that this version knows", {
    hint: "write one with `poundlock locks --json`, or run the process with POUNDLOCK_LOCKS_FOLDER",
  });
}

/** Undefined for what is no JSON, which then is neither of the two. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
