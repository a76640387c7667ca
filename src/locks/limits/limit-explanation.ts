/** What a limit on waiting is made of; AdaptiveLimit has the formula. */
export interface LimitTerms {
  /** What it comes to, before jitter. */
  readonly limitMs: number;
  /** Before floor and ceiling. */
  readonly wantedMs: number;
  /** Which term was the largest. `initial`: too few waits are known. */
  readonly by: "initial" | "history" | "queue" | "timeout";
  readonly isFrozen: boolean;
  /** Recent waits, older ones counted in part. */
  readonly samples: number;
  readonly samplesMin: number;
  /** 99 of 100 recent waits end in this time; undefined when too few are known. */
  readonly slowestUsualMs: number | undefined;
  readonly margin: number;
  readonly queueAhead: number;
  readonly residualHoldMs: number;
  readonly meanHoldMs: number;
  /** What the queue is expected to take at most. */
  readonly queueMs: number;
  /** Twice the limit that ran out, faded since. */
  readonly backOffMs: number;
  readonly floorMs: number;
  readonly ceilingMs: number;
  readonly jitter: number;
}

/** The terms, and what they say in one sentence. */
export interface LimitExplanation extends LimitTerms {
  readonly sentence: string;
}

export function limitSentence(terms: LimitTerms): string {
  const { limitMs, wantedMs, floorMs, ceilingMs, isFrozen } = terms;
  const bound =
    wantedMs < floorMs
      ? `, raised to the floor of ${ms(floorMs)}`
      : wantedMs > ceilingMs
        ? `, lowered to the ceiling of ${ms(ceilingMs)}`
        : "";
  return `A waiter gives up after ${ms(limitMs)}: ${reason(terms)}${bound}${isFrozen ? "; frozen" : ""}.`;
}

function reason(terms: LimitTerms): string {
  const { by, samples, samplesMin, slowestUsualMs, margin, queueAhead, residualHoldMs, queueMs } = terms;
  switch (by) {
    case "initial":
      return `the initial limit, since ${Math.floor(samples)} recent waits are too few to learn from (${samplesMin} are enough)`;
    case "history":
      return `${margin} × ${ms(slowestUsualMs ?? 0)}, in which 99 of 100 recent waits end (${Math.floor(samples)} are known)`;
    case "queue":
      return `${margin} × ${ms(queueMs)}, which the holder's remaining ${ms(residualHoldMs)} and ${queueAhead} holds before this waiter may take`;
    case "timeout":
      return `twice the limit that ran out last, faded to ${ms(terms.backOffMs)} since`;
  }
}

function ms(value: number): string {
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ms`;
}
