/** A reporter of node's test runner: one JSON line for each test file that ended, with its whole time. */
export default async function* slowestReporter(events) {
  for await (const { type, data } of events) {
    // A file's own completion bears its path as its name (Node 24 makes it relative); everything else is a test in it.
    if (type !== "test:complete" || data.nesting !== 0 || !data.file?.endsWith(data.name)) continue;
    yield `${JSON.stringify({ file: data.file, durationMs: data.details.duration_ms })}\n`;
  }
}
