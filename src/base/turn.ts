const line: (() => void)[] = [];

/**
 * Resolves in a later turn of the event loop, when what was due has run. One caller goes on in each turn, in the order of asking, so
 * that however many share out their work this way, together they hold the loop no longer than one of them.
 */
export function turnInLine(): Promise<void> {
  return new Promise((resolve) => {
    line.push(resolve);
    if (line.length === 1) setImmediate(admitNext);
  });
}

function admitNext(): void {
  line.shift()?.();
  if (line.length > 0) setImmediate(admitNext);
}
