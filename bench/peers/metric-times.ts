import { median } from "../kit/programs.js";
import { type Loop, recordersOf } from "./metric-recorders.js";

/**
 * `metric-times.js CONTENDER OPERATIONS FORM…` prints, by form, nanoseconds of processor time for one record: the median of the
 * batches. Forms that the contender lacks are left out. Processor time, so that what else the machine does has little part in it.
 */
export type RecordTimes = Readonly<Record<string, number>>;

const [contender = "", count = "1000", ...forms] = process.argv.slice(2);
const batches = 12;
const warmUps = 3;
const perBatch = Math.ceil(Number(count) / batches);

function nsPerRecord(loop: Loop): number {
  const times: number[] = [];
  for (let batch = 0; batch < batches + warmUps; batch += 1) {
    const before = process.cpuUsage();
    loop(perBatch);
    const { user, system } = process.cpuUsage(before);
    times.push(((user + system) / perBatch) * 1e3);
  }
  return median(times.slice(warmUps));
}

const recorders = await recordersOf(contender);
const times: Record<string, number> = {};
for (const form of forms) {
  const recorder = recorders[form];
  if (recorder !== undefined) times[form] = nsPerRecord(recorder());
}
process.stdout.write(JSON.stringify(times));
