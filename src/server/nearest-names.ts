/** Up to `limit` of the names, those that the fewest edits turn into `wanted` first; none that differs altogether. */
export function nearestNames(wanted: string, names: readonly string[], limit = 3): string[] {
  const editsMax = Math.max(2, Math.ceil(wanted.length / 2));
  return names
    .map((name) => ({ name, edits: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= editsMax || name.includes(wanted))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, limit)
    .map(({ name }) => name);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
