/**
 * The longest that this program kept the event loop without a turn since `start`, in milliseconds: wall time between two turns, but no
 * more than the processor time that the process used in it, so that a machine with other things to do does not count as a stall.
 */
export class LoopGap {
  #longestMs = 0;
  #lastMs = 0;
  #lastUsage: NodeJS.CpuUsage = process.cpuUsage();
  #isOn = false;

  start(): void {
    this.#isOn = true;
    this.#longestMs = 0;
    this.#lastMs = performance.now();
    this.#lastUsage = process.cpuUsage();
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
    const usage = process.cpuUsage();
    const busyMs = (usage.user + usage.system - this.#lastUsage.user - this.#lastUsage.system) / 1000;
    this.#longestMs = Math.max(this.#longestMs, Math.min(nowMs - this.#lastMs, busyMs));
    this.#lastMs = nowMs;
    this.#lastUsage = usage;
  }
}
