/** What a benchmark found: plain data, printed as JSON as it is. */

export interface BenchResult {
  /** ISO 8601, when it began. */
  readonly startedAt: string
  readonly size: string
  readonly events: number
  readonly seed: number
  readonly rounds: number
  readonly machine: Machine
  readonly contenders: readonly ContenderFacts[]
  readonly workloads: readonly WorkloadResult[]
  /** By contender: the geometric mean of its ratios over the workloads in which it has one. */
  readonly means: readonly Mean[]
}

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** Processes that wanted a processor in the minute before it began; times mean little where others work too. */
  readonly loadBefore: number
}

export interface ContenderFacts {
  readonly name: string
  readonly summary: string
  /** Null where it isn't installed. */
  readonly version: string | null
}

export interface WorkloadResult {
  readonly workload: string
  readonly summary: string
  readonly logBytes: number
  /** Seconds that two threads need to read and decompress the columns that the workload reads. */
  readonly floor: Spread | null
  readonly entries: readonly Entry[]
  /** Whether all contenders gave the same rows in all rounds. */
  readonly agreed: boolean
}

/** One contender in one workload. */
export interface Entry {
  readonly contender: string
  /** Why there are no figures, or fewer than asked for. */
  readonly remark: string | null
  readonly failed: boolean
  /** Rows of all views. */
  readonly rows: number
  /** Hashes of the rows: one, unless the rounds gave different rows. */
  readonly hashes: readonly string[]
  /** Null where there are no figures. */
  readonly figures: Figures | null
}

export interface Figures {
  /** Of the work alone. */
  readonly seconds: Spread
  /** Of the process from its start to its end. */
  readonly wholeSeconds: Spread
  readonly peakBytes: number
  readonly eventsPerSecond: number
  /** Median of the rounds' times relative to the yardstick's in the same round; null where that has none. */
  readonly ratio: number | null
  readonly wholeRatio: number | null
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly all: readonly number[]
}

export interface Mean {
  readonly contender: string
  readonly ratio: number
  readonly wholeRatio: number
  readonly workloads: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)!, all: values }
}

/** The geometric mean: that of ratios and that of their inverses say the same. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** Means of the contenders that have a ratio at all, in their order. */
export function meansOf(workloads: readonly WorkloadResult[]): Mean[] {
  const names = new Set(workloads.flatMap(({ entries }) => entries.map(({ contender }) => contender)))
  return [...names].flatMap((contender) => {
    const figures = workloads.flatMap(({ entries }) => {
      const found = entries.find((entry) => entry.contender === contender)?.figures
      return found?.ratio == null || found.wholeRatio === null
        ? []
        : [{ ratio: found.ratio, wholeRatio: found.wholeRatio }]
    })
    if (figures.length === 0) return []
    return [
      {
        contender,
        ratio: geometricMean(figures.map(({ ratio }) => ratio)),
        wholeRatio: geometricMean(figures.map(({ wholeRatio }) => wholeRatio)),
        workloads: figures.length,
      },
    ]
  })
}

/** One line for each disagreement: which contender gave which rows. Empty where all agree. */
export function disagreementsOf(workload: WorkloadResult): string[] {
  if (workload.agreed) return []
  const byHash = new Map<string, string[]>()
  for (const { contender, hashes } of workload.entries) {
    for (const hash of hashes) byHash.set(hash, [...(byHash.get(hash) ?? []), contender])
  }
  return Array.from(
    byHash,
    ([hash, names]) => `${workload.workload}: ${names.join(', ')} gave rows ${hash.slice(0, 12)}`,
  )
}
