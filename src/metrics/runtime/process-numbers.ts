import { readdir, readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import type { BoundCounter, BoundGauge } from "../instruments/bound.js";
import type { Registry } from "../registry.js";

/** What the whole process uses. Memory and descriptors of several processes add up. */
export class ProcessNumbers {
  readonly #cpu: readonly [user: BoundCounter, system: BoundCounter, both: BoundCounter];
  readonly #resident: BoundGauge;
  readonly #linux: LinuxNumbers | undefined;
  readonly #registry: Registry;
  #user = 0;
  #system = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    const seconds = (name: string, help: string): BoundCounter =>
      registry.counter(name, { help, unit: "s" }).bind();
    this.#cpu = [
      seconds("process_cpu_user_seconds_total", "CPU time of the process in user mode"),
      seconds("process_cpu_system_seconds_total", "CPU time of the process in the system"),
      seconds("process_cpu_seconds_total", "CPU time of the process"),
    ];
    this.#resident = bytes(registry, "process_resident_memory_bytes", "Resident memory of the process");
    registry
      .gauge("process_start_time_seconds", {
        help: "When the process started, since 1970",
        unit: "s",
        across: "min",
      })
      .set(performance.timeOrigin / 1000);
    const [major = "", minor = "", patch = ""] = process.versions.node.split(".");
    registry
      .gauge("nodejs_version_info", {
        help: "Version of Node.js; always 1",
        labels: ["version", "major", "minor", "patch"],
      })
      .set(1, { version: process.version, major, minor, patch });
    this.#linux = process.platform === "linux" ? new LinuxNumbers(registry) : undefined;
  }

  sample(): void {
    const { user, system } = process.cpuUsage();
    const [userCpu, systemCpu, bothCpu] = this.#cpu;
    // The clocks of the system may be read apart; a counter must not go back for it.
    const userMore = Math.max(0, user - this.#user);
    const systemMore = Math.max(0, system - this.#system);
    this.#registry.together(() => {
      userCpu.add(userMore / 1e6);
      systemCpu.add(systemMore / 1e6);
      bothCpu.add((userMore + systemMore) / 1e6);
    });
    this.#user += userMore;
    this.#system += systemMore;
    this.#resident.set(process.memoryUsage.rss());
    this.#linux?.sample();
  }
}

/** What Linux tells in /proc; elsewhere there is no public way to it. */
class LinuxNumbers {
  readonly #virtual: BoundGauge;
  readonly #heap: BoundGauge;
  readonly #open: BoundGauge;
  readonly #openMax: BoundGauge;
  #isReading = false;

  constructor(registry: Registry) {
    this.#virtual = bytes(registry, "process_virtual_memory_bytes", "Address space of the process");
    this.#heap = bytes(registry, "process_heap_bytes", "Data segment of the process");
    this.#open = registry
      .gauge("process_open_fds", { help: "File descriptors in use", across: "sum" })
      .bind();
    this.#openMax = registry
      .gauge("process_max_fds", { help: "File descriptors that may be in use", across: "min" })
      .bind();
  }

  sample(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read().then(
      () => {
        this.#isReading = false;
      },
      // A process without /proc, or without the right to it, has no such numbers: not worth looking again.
      () => undefined,
    );
  }

  async #read(): Promise<void> {
    const [status, limits, descriptors] = await Promise.all([
      readFile("/proc/self/status", "utf8"),
      readFile("/proc/self/limits", "utf8"),
      readdir("/proc/self/fd"),
    ]);
    this.#virtual.set(kibibytes(status, "VmSize"));
    this.#heap.set(kibibytes(status, "VmData"));
    // Without the one that the folder itself was read by.
    this.#open.set(descriptors.length - 1);
    const most = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    this.#openMax.set(most === "unlimited" ? Number.POSITIVE_INFINITY : Number(most));
  }
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

function bytes(registry: Registry, name: string, help: string): BoundGauge {
  return registry.gauge(name, { help, unit: "By", across: "sum" }).bind();
}
