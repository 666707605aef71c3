/**
 * Clocks that are ahead. The watermark follows the newest moments at which events were recorded, so one event of a clock that
 * is years ahead would make every window final, and what really comes next would change final figures.
 *
 * No clock of ours can say which moment is right: the log alone must, and the same log always the same. So all moments of
 * recording, of all partitions, are put in order and cut wherever nothing was recorded for longer than `maxClockSkew`. The piece
 * that holds the median event is where the log is; what lies in a later piece is ahead and doesn't count for the
 * watermark. Once a later piece holds most events, it is where the log is.
 *
 * As known-at advances, the median and the end of its piece only advance, so the watermark still never goes back.
 */

/** Events of which none was recorded longer than `maxClockSkew` after the one before it; in the log's unit. */
export interface RecordedRun {
  readonly min: bigint
  readonly max: bigint
  readonly events: number
}

/** Cuts moments into runs. @param moments Is sorted. */
export function cutAtGaps(moments: BigInt64Array, skew: bigint): RecordedRun[] {
  moments.sort()
  const runs: RecordedRun[] = []
  let from = 0
  for (let i = 1; i <= moments.length; i++) {
    if (i < moments.length && moments[i]! - moments[i - 1]! <= skew) continue
    runs.push({ min: moments[from]!, max: moments[i - 1]!, events: i - from })
    from = i
  }
  return runs
}

/** Adds a run to others: to the first that it continues, or as one of its own. */
export function addRun(runs: RecordedRun[], run: RecordedRun, skew: bigint): void {
  const near = runs.findIndex(({ min, max }) => run.min - max <= skew && min - run.max <= skew)
  if (near < 0) {
    runs.push(run)
    return
  }
  const { min, max, events } = runs[near]!
  runs[near] = {
    min: run.min < min ? run.min : min,
    max: run.max > max ? run.max : max,
    events: events + run.events,
  }
}

/** What was recorded in one partition. */
export interface PartitionRun extends RecordedRun {
  readonly partition: number
}

interface Piece {
  max: bigint
  events: number
  /** By partition. */
  readonly newest: Map<number, bigint>
}

/** Follows a log, period after period, and says how far each of its partitions has come. */
export class LogClock {
  readonly #skew: bigint
  readonly #pieces: Piece[] = []
  #events = 0
  /** The piece that holds the median event, and the events before it. */
  #at = 0
  #before = 0
  /** By partition: when its newest event was recorded, of those that are not ahead. */
  readonly progress = new Map<number, bigint>()

  constructor(skew: bigint) {
    this.#skew = skew
  }

  /** Takes what was recorded in a period, later than all before. */
  add(runs: readonly PartitionRun[]): void {
    const inOrder = [...runs].sort((a, b) => (a.min < b.min ? -1 : a.min > b.min ? 1 : 0))
    for (const run of inOrder) this.#addRun(run)
    const median = Math.ceil(this.#events / 2)
    while (this.#at < this.#pieces.length - 1 && this.#before + this.#pieces[this.#at]!.events < median) {
      this.#before += this.#pieces[this.#at]!.events
      this.#at++
      for (const [partition, moment] of this.#pieces[this.#at]!.newest) note(this.progress, partition, moment)
    }
  }

  /** The newest moment that is not ahead; null where nothing was recorded. */
  get end(): bigint | null {
    return this.#pieces[this.#at]?.max ?? null
  }

  /** Events that are ahead. */
  get ahead(): number {
    return this.#pieces.slice(this.#at + 1).reduce((sum, { events }) => sum + events, 0)
  }

  #addRun({ min, max, events, partition }: PartitionRun): void {
    let piece = this.#pieces.at(-1)
    if (piece === undefined || min - piece.max > this.#skew) {
      piece = { max, events: 0, newest: new Map() }
      this.#pieces.push(piece)
    }
    if (max > piece.max) piece.max = max
    piece.events += events
    this.#events += events
    note(piece.newest, partition, max)
    if (this.#pieces.length - 1 <= this.#at) note(this.progress, partition, max)
  }
}

function note(newest: Map<number, bigint>, partition: number, moment: bigint): void {
  const before = newest.get(partition)
  if (before === undefined || moment > before) newest.set(partition, moment)
}
