import type { DomainReport } from "./report-data.js";

/** What the domains of one process looked like: the answer of `/api/v1/locks` and of `poundlock locks --json`. */
export interface LocksDocument {
  readonly schema: "poundlock.locks/1";
  readonly domains: readonly DomainReport[];
}

export function locksDocument(domains: readonly DomainReport[]): LocksDocument {
  return { schema: "poundlock.locks/1", domains };
}

/** Whether a value read from elsewhere is such a document, as far as its rendering relies on it. */
export function isLocksDocument(value: unknown): value is LocksDocument {
  const { schema, domains } = (value ?? {}) as Partial<LocksDocument>;
  return (
    schema === "poundlock.locks/1" &&
    Array.isArray(domains) &&
    domains.every(
      ({ locks, classes, findings, suppressionsUnused }: Partial<DomainReport>) =>
        Array.isArray(locks) &&
        Array.isArray(classes) &&
        Array.isArray(findings) &&
        Array.isArray(suppressionsUnused),
    )
  );
}
