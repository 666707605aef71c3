import { describeAhead, findAhead } from '../map/ahead.ts'
import type { LogPlan } from '../model/plan.ts'
import type { OpenFile } from '../parquet/open-in-turn.ts'
import { addRun, cutAtGaps, LogClock, type PartitionRun, type RecordedRun } from '../time/clock-skew.ts'

/** Whether clocks that recorded a log's events are ahead, as a rebuild finds it. */
export class ClockSurvey {
  readonly #log: LogPlan
  readonly #runs = new Map<number, RecordedRun[]>()

  constructor(log: LogPlan) {
    this.#log = log
  }

  /** @param recorded When events of a partition were recorded; in any order. */
  add(partition: number, recorded: BigInt64Array): void {
    const { maxClockSkew } = this.#log
    const runs = this.#runs.get(partition) ?? []
    this.#runs.set(partition, runs)
    for (const run of cutAtGaps(recorded.slice(), maxClockSkew)) addRun(runs, run, maxClockSkew)
  }

  /** A sentence that names the events; null where no clock is ahead. */
  describe(open: OpenFile): string | null {
    const clock = this.#clock()
    const { ahead, end } = clock
    if (ahead === 0 || end === null) return null
    const found = findAhead(this.#log, this.#log.splits.keys(), end, open)
    return describeAhead(this.#log, { events: ahead, end }, found)
  }

  /** By partition: when its newest event was recorded, of those that are not ahead. */
  get progress(): ReadonlyMap<string, bigint> {
    const { partitions } = this.#log
    return new Map([...this.#clock().progress].map(([partition, moment]) => [partitions[partition]!, moment]))
  }

  /** The newest moment that isn't ahead; null where there is none. */
  get end(): bigint | null {
    return this.#clock().end
  }

  #clock(): LogClock {
    const clock = new LogClock(this.#log.maxClockSkew)
    clock.add([...this.#runs].flatMap(([partition, runs]) => runs.map((run): PartitionRun => ({ ...run, partition }))))
    return clock
  }
}
