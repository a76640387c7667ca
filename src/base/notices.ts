/** What a module says about itself. The engine turns notices into metrics and logs; modules never log. */
export interface Notice {
  /** `module.what-happened`, e.g. `tail.rotated`. */
  readonly name: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** One sentence for a person; absent for notices that only feed metrics. */
  readonly message?: string;
  /** Numbers and strings that belong to it; units last in the names. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Must not throw and must return quickly: it is called where the thing happens. */
export type NoticeSink = (notice: Notice) => void;

export const ignoreNotices: NoticeSink = () => {};
