import type { DomainReport } from "./report/report-data.js";

/** A domain as those who report on all of them see it. */
export interface ReportingDomain {
  /** Whether a lock is held or waited for. */
  readonly isInUse: boolean;
  /** Whether the process's natural end with locks in use is to be reported. */
  readonly reportsAtExit: boolean;
  report(): DomainReport;
}

interface Registry {
  readonly all: Set<WeakRef<ReportingDomain>>;
  readonly collected: FinalizationRegistry<WeakRef<ReportingDomain>>;
}

/** On the process, not in this module: test runners and version ranges load several copies of the package. */
const place: unique symbol = Symbol.for("poundlock.locks.domains.1") as never;

function registry(): Registry {
  const here = globalThis as { [place]?: Registry };
  if (here[place] !== undefined) return here[place];
  const all = new Set<WeakRef<ReportingDomain>>();
  const collected = new FinalizationRegistry<WeakRef<ReportingDomain>>((ref) => all.delete(ref));
  return (here[place] = { all, collected });
}

/** Makes a domain one of those that are reported on, for as long as somebody uses it. */
export function registerDomain(domain: ReportingDomain): void {
  const { all, collected } = registry();
  const ref = new WeakRef(domain);
  all.add(ref);
  collected.register(domain, ref);
}

/** Every domain of this thread, oldest first. */
export function domains(): ReportingDomain[] {
  return [...registry().all].flatMap((ref) => ref.deref() ?? []);
}

/** What the domains of this thread look like now; those that never had a lock are left out. */
export function reportDomains(): DomainReport[] {
  return domains()
    .map((domain) => domain.report())
    .filter(({ classes, findings }) => classes.length + findings.length > 0);
}
