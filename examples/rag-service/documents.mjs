/** What the service knows. A real one would have a vector store; what matters here is that looking takes a while. */
export const documents = new Map(
  [
    [
      "locks",
      "A mutex lets one task at a time into a section. Waiting tasks stand in line and are served in order.",
    ],
    ["deadlocks", "A deadlock is a cycle of tasks, each of which waits for a lock that the next one holds."],
    [
      "percentiles",
      "The nearest-rank percentile of n values is the value of rank ceil(p * n), counted from the smallest.",
    ],
    [
      "histograms",
      "An exponential histogram has buckets that grow by a constant factor, so its relative error is bounded.",
    ],
    ["caches", "A cache answers what was asked before. Its hit rate is hits divided by look-ups."],
    [
      "limits",
      "A token bucket lets bursts through and holds the average rate: a token for each request, refilled in time.",
    ],
    [
      "retries",
      "A retry after a timeout may do the work twice, unless the work is idempotent or has a key of its own.",
    ],
    [
      "snapshots",
      "A consistent snapshot shows all numbers of one moment, although others go on counting meanwhile.",
    ],
  ].map(([id, text]) => [id, { id, text }]),
);
