/** Of the thread where Node.js can tell (22.19, 24), else of the process with its helpers. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
function usedMs(): number {
  const { user, system } = threadCpuUsage === undefined ? process.cpuUsage() : threadCpuUsage.call(process);
  return (user + system) / 1000;
}

/**
 * The longest that this program kept the event loop without a turn since `start`, in milliseconds: wall time between two turns, but no
 * more than the processor time used in it, so that a machine with other things to do does not count as a stall.
 */
export class LoopGap {
  #longestMs = 0;
  #lastMs = 0;
  #lastUsedMs = 0;
  #isOn = false;

  start(): void {
    this.#isOn = true;
    this.#longestMs = 0;
    this.#lastMs = performance.now();
    this.#lastUsedMs = usedMs();
    setImmediate(() => this.#turn());
  }

  /** Resolves with the longest gap in the next turn, so that what held the loop last counts too. */
  async stop(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#look();
    this.#isOn = false;
    return this.#longestMs;
  }

  #turn(): void {
    if (!this.#isOn) return;
    this.#look();
    setImmediate(() => this.#turn());
  }

  #look(): void {
    const nowMs = performance.now();
    const nowUsedMs = usedMs();
    const busyMs = nowUsedMs - this.#lastUsedMs;
    this.#longestMs = Math.max(this.#longestMs, Math.min(nowMs - this.#lastMs, busyMs));
    this.#lastMs = nowMs;
    this.#lastUsedMs = nowUsedMs;
  }
}
