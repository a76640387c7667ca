import type { LoadedConfig } from "../config/index.js";
import { describeMetrics, openStore, queryOf } from "../engine/index.js";
import { compileRules } from "../pipeline/index.js";
import type { FailureReason } from "../store/index.js";
import type { Context } from "./context.js";
import { letterText } from "./dead-letter-text.js";
import { sayNotices } from "./notice-text.js";
import type { Reader } from "./reader.js";
import { settleTimeFormats } from "./time-formats.js";

/** Opens the store of a configuration that nobody else has open; reads only. */
export async function openStoreReader(config: LoadedConfig, context: Context): Promise<Reader> {
  const { terminal, clock } = context;
  const settled = await settleTimeFormats(config, terminal);
  const compiled = compileRules({
    sources: settled.sources.map(({ rule }) => rule),
    metrics: settled.metrics,
  });
  const store = await openStore(settled.store, clock, sayNotices(terminal));
  const query = queryOf(store, compiled, clock);
  const shown = <T extends { readonly bytes: Uint8Array }>({
    bytes,
    ...rest
  }: T): Omit<T, "bytes"> & ReturnType<typeof letterText> => ({
    ...rest,
    ...letterText(bytes),
  });
  return {
    metrics: async () => describeMetrics(query).map(({ name }) => name),
    query: ({ metric, windowMs, groupsMax }) =>
      query.answer({
        metric,
        ...(windowMs === undefined ? {} : { windowMs }),
        ...(groupsMax === undefined ? {} : { groupsMax }),
      }),
    ledger: () => store.ledger(),
    async deadLetters({ reason, ...rest }) {
      const page = await store.deadLetters({
        ...rest,
        ...(reason === undefined ? {} : { reason: reason as FailureReason }),
      });
      return { ...page, items: page.items.map(shown) };
    },
    async deadLetter(id) {
      const letter = await store.deadLetter(id);
      return letter === undefined ? undefined : shown(letter);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
