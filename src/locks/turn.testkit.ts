/** Resolves when everything that was due at once, and all that this made due, has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
