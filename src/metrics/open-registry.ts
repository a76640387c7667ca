import { type Clock, integerOption, OptionError, systemClock } from "../base/index.js";
import { idleOption, seriesOption } from "./define.js";
import { handDown, inheritedBuffer, openHere } from "./discovery.js";
import { bytesMinOf, Segment } from "./memory/segment.js";
import type { RegistryOptions } from "./options.js";
import { Registry, sharedOriginMs } from "./registry.js";

/**
 * Opens the process's registry of a name: in the thread that asks first it is made, every thread started from there finds the same
 * one. Later openings of the same name answer the same registry, whatever their options.
 * @throws OptionError
 * @throws MetricThreadsError when more threads record than it has places for
 * @throws MetricLayoutError when the thread that made it uses another version of this package
 */
export function openRegistry(options: RegistryOptions = {}, clock: Clock = systemClock): Registry {
  const name = options.name ?? "default";
  const open = openHere<Registry>();
  const known = open.get(name);
  if (known !== undefined) return known;
  const inherited = inheritedBuffer(name);
  const segment = inherited === undefined ? createSegment(options, clock) : new Segment(inherited);
  const registry = new Registry(segment, options, clock);
  open.set(name, registry);
  handDown(name, segment.buffer);
  return registry;
}

/**
 * Opens a registry by its `buffer`, in a thread that was started before it and was sent the buffer.
 * @throws MetricLayoutError when the buffer is none of a registry
 * @throws OptionError when this thread has another registry of the name open
 */
export function attachRegistry(buffer: SharedArrayBuffer, options: RegistryOptions = {}): Registry {
  const name = options.name ?? "default";
  const open = openHere<Registry>();
  const known = open.get(name);
  const segment = new Segment(buffer);
  if (known !== undefined && isSameMemory(new Segment(known.buffer), segment)) return known;
  // Or all that is recorded from here on would be where nobody looks for it.
  if (known !== undefined)
    throw new OptionError(
      "name",
      `Cannot attach registry: this thread has another one of the name ${name} open`,
    );
  const registry = new Registry(segment, options, systemClock);
  open.set(name, registry);
  handDown(name, buffer);
  return registry;
}

/** Each message brings a SharedArrayBuffer of its own for the same memory, so memory is told by the moment it was made. */
function isSameMemory(one: Segment, other: Segment): boolean {
  const [a, b] = [one.origin, other.origin];
  return a.startedMs === b.startedMs && a.startedMonotonicMs === b.startedMonotonicMs;
}

function createSegment(options: RegistryOptions, clock: Clock): Segment {
  const threadsMax = integerOption("threadsMax", options.threadsMax, { default: 128, min: 1, max: 1024 });
  const familiesMax = integerOption("metricsMax", options.metricsMax, { default: 4096, min: 1, max: 65_536 });
  const min = Math.max(4 * 2 ** 20, bytesMinOf(threadsMax, familiesMax));
  const limits = { default: 256 * 2 ** 20, min, max: 8 * 2 ** 30 };
  const reserveBytes = integerOption("reserveBytes", options.reserveBytes, limits);
  return Segment.create(
    { threadsMax, familiesMax, reserveBytes },
    {
      startedMs: clock.now(),
      startedMonotonicMs: clock.monotonicMs() + sharedOriginMs(clock),
      seriesMax: seriesOption(options.seriesMax),
      idleMs: idleOption(options.idleMs) ?? 0,
    },
  );
}
