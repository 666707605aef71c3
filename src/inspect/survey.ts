import { type SlotColumn, wordsOf } from '../columns/slot-column.ts'
import type { LogPlan } from '../model/plan.ts'
import type { TimeUnit } from '../model/type.ts'
import type { OpenFile } from '../parquet/open-in-turn.ts'
import { readBatch } from '../scan/batch.ts'
import type { Batch } from '../scan/event-batch.ts'
import { identityWords } from '../scan/identity.ts'
import { typesOf } from '../scan/types.ts'
import { watermarkOf } from '../time/watermark.ts'
import { ClockSurvey } from './survey-clock.ts'

/** What the events of a log look like. Everything is counted over all events; moments and delays are in the log's unit. */
export interface Survey {
  readonly events: number
  readonly types: readonly { readonly type: string; readonly events: number }[]
  readonly occurredAt: Range | null
  readonly recordedAt: Range | null
  /** Up to when the log is taken to be complete; null without recordedAt. */
  readonly progress: SurveyProgress | null
  /** Which events were recorded by clocks that are ahead, in words; null where none were. */
  readonly ahead: string | null
  /** Events that were recorded before the one that precedes them in their file; null without recordedAt. */
  readonly outOfOrder: { readonly events: number; readonly files: number } | null
  /** From occurrence to record. */
  readonly delay: Delay | null
  readonly sequence: SequenceSurvey | null
  /** Events beyond the first of each id, found by a hash of 64 bits where ids are not integers. */
  readonly duplicates: number
}

export interface Range {
  readonly min: bigint
  readonly max: bigint
  readonly unit: TimeUnit
}

export interface SurveyProgress {
  readonly watermark: bigint
  readonly unit: TimeUnit
  /** Of several partitions the one that recorded nothing since, and is not idle; null where none holds back the others. */
  readonly heldBackBy: string | null
}

export interface Delay {
  readonly unit: TimeUnit
  /** Recorded before it happened. */
  readonly negative: number
  readonly quantiles: readonly { readonly quantile: number; readonly delay: number }[]
}

export interface SequenceSurvey {
  /** Whether numbers count through the log, or through each stream. */
  readonly scope: 'log' | 'stream'
  /** Numbers that are missing between the first and the last. */
  readonly missing: number
  readonly repeated: number
  readonly streams: number
}

const quantiles = [0, 0.5, 0.9, 0.99, 0.999, 1]

/** Reads the roles of all events. `open` hands out each file as often as it is asked for. */
export function surveyLog(log: LogPlan, open: OpenFile): Survey {
  const { roles } = log
  const needed = new Set(
    [...roles.id, roles.key, roles.type, roles.occurredAt, roles.recordedAt, roles.sequence].filter(
      (slot) => slot >= 0,
    ),
  )
  const parts = {
    types: new Map<string, number>(),
    occurredAt: new RangeCount(),
    recordedAt: new RangeCount(),
    order: new OrderCount(),
    clock: new ClockSurvey(log),
    delays: new Float64Array(roles.occurredAt >= 0 && roles.recordedAt >= 0 ? log.rows : 0),
    identities: new Int32Array(2 * log.rows),
    sequences: new SequenceCount(roles.sequence >= 0 ? log.rows : 0),
  }
  let events = 0
  for (const split of log.splits) {
    const file = log.files[split.file]!
    for (const { index } of split.rowGroups) {
      const batch = readBatch(log, file, open, index, needed)
      surveyBatch(log, batch, parts, { at: events, partition: file.partition })
      events += batch.rows
    }
  }
  const unitOf = (slot: number): TimeUnit => log.slots[slot]?.type.unit ?? 'us'
  return {
    events,
    types: [...parts.types].map(([type, count]) => ({ type, events: count })).sort((a, b) => b.events - a.events),
    occurredAt: parts.occurredAt.result(unitOf(roles.occurredAt)),
    recordedAt: parts.recordedAt.result(unitOf(roles.recordedAt)),
    progress: progressOf(log, parts.clock.progress, unitOf(roles.recordedAt)),
    ahead: roles.recordedAt >= 0 ? parts.clock.describe(open) : null,
    outOfOrder: roles.recordedAt >= 0 ? parts.order.result() : null,
    delay: delayOf(parts.delays, unitOf(roles.recordedAt)),
    sequence: roles.sequence >= 0 ? parts.sequences.result() : null,
    duplicates: countRepeated(parts.identities),
  }
}

interface Parts {
  readonly types: Map<string, number>
  readonly occurredAt: RangeCount
  readonly recordedAt: RangeCount
  readonly order: OrderCount
  readonly clock: ClockSurvey
  readonly delays: Float64Array
  readonly identities: Int32Array
  readonly sequences: SequenceCount
}

function surveyBatch(
  log: LogPlan,
  batch: Batch,
  parts: Parts,
  { at, partition }: { readonly at: number; readonly partition: number },
): void {
  const { roles } = log
  const columnOf = (slot: number): SlotColumn => batch.columns[slot]!
  countTypes(log, batch, parts.types)
  parts.identities.set(identityWords(roles.id.map(columnOf), batch.rows), 2 * at)
  const occurred = roles.occurredAt >= 0 ? momentsOf(columnOf(roles.occurredAt)) : null
  const recorded = roles.recordedAt >= 0 ? momentsOf(columnOf(roles.recordedAt)) : null
  if (occurred !== null) parts.occurredAt.add(occurred)
  if (recorded !== null) {
    parts.recordedAt.add(recorded)
    parts.clock.add(partition, recorded)
    parts.order.add(recorded, batch.file)
  }
  if (occurred !== null && recorded !== null) subtract(recorded, occurred, parts.delays.subarray(at))
  if (roles.sequence >= 0) {
    const keys = roles.key >= 0 ? identityWords([columnOf(roles.key)], batch.rows) : null
    parts.sequences.add(columnOf(roles.sequence), keys, batch.rows)
  }
}

function progressOf(log: LogPlan, newest: ReadonlyMap<string, bigint>, unit: TimeUnit): SurveyProgress | null {
  const watermark = watermarkOf(newest.values(), log.idleTimeout)
  if (watermark === null) return null
  const isBehind = [...newest.values()].some((moment) => moment > watermark)
  const holding = [...newest].find(([, moment]) => moment === watermark)
  return { watermark, unit, heldBackBy: isBehind && holding !== undefined ? holding[0] : null }
}

function countTypes(log: LogPlan, batch: Batch, types: Map<string, number>): void {
  const { codes, names } = typesOf(log, batch)
  const counts = new Float64Array(names.length)
  for (let row = 0; row < batch.rows; row++) counts[codes[row]!]!++
  names.forEach((name, code) => {
    if (counts[code]! > 0) types.set(name, (types.get(name) ?? 0) + counts[code]!)
  })
}

/** Moments as integers; roles hold no nulls. */
function momentsOf(column: SlotColumn): BigInt64Array {
  if (column.kind !== 'int64') throw new Error(`a moment is an int64, found ${column.kind}`)
  return column.values
}

/** The high and low words are subtracted separately, so that the difference is exact though no operand may be. */
function subtract(minuends: BigInt64Array, subtrahends: BigInt64Array, into: Float64Array): void {
  const a = wordsOf(minuends)
  const b = wordsOf(subtrahends)
  for (let row = 0; row < minuends.length; row++) {
    into[row] = (a[2 * row + 1]! - b[2 * row + 1]!) * 2 ** 32 + ((a[2 * row]! >>> 0) - (b[2 * row]! >>> 0))
  }
}

class RangeCount {
  #min: bigint | undefined
  #max: bigint | undefined

  add(values: BigInt64Array): void {
    for (const value of values) {
      if (this.#min === undefined || value < this.#min) this.#min = value
      if (this.#max === undefined || value > this.#max) this.#max = value
    }
  }

  result(unit: TimeUnit): Range | null {
    return this.#min === undefined || this.#max === undefined ? null : { min: this.#min, max: this.#max, unit }
  }
}

class OrderCount {
  readonly #files = new Set<string>()
  #events = 0
  #file = ''
  #previous = 0n

  add(recorded: BigInt64Array, file: string): void {
    let previous = file === this.#file ? this.#previous : (recorded[0] ?? 0n)
    let events = 0
    for (const moment of recorded) {
      if (moment < previous) events++
      previous = moment
    }
    this.#previous = previous
    this.#file = file
    this.#events += events
    if (events > 0) this.#files.add(file)
  }

  result(): { events: number; files: number } {
    return { events: this.#events, files: this.#files.size }
  }
}

/**
 * A stream's number and the event's place in it lie in the two halves of 64-bit integers, so that one sort brings the
 * streams together, each in its order.
 */
class SequenceCount {
  readonly #sequences: BigInt64Array
  readonly #streams: Int32Array
  readonly #streamOf = new Map<number, number>()
  #rows = 0

  constructor(rows: number) {
    this.#sequences = new BigInt64Array(rows)
    this.#streams = new Int32Array(rows)
  }

  add(column: SlotColumn, keys: Int32Array | null, rows: number): void {
    const values = column.kind === 'int32' || column.kind === 'int64' ? column.values : new Int32Array(rows)
    for (let row = 0; row < rows; row++, this.#rows++) {
      this.#sequences[this.#rows] = BigInt(values[row]!)
      if (keys !== null) this.#streams[this.#rows] = this.#streamNumber(keys[2 * row]!, keys[2 * row + 1]!)
    }
  }

  result(): SequenceSurvey | null {
    if (this.#rows === 0) return null
    const through = this.#count(false)
    const streams = this.#streamOf.size
    if (through === null) return null
    if (through.repeated === 0 || streams === 0) return { scope: 'log', ...through, streams }
    const within = this.#count(true)
    if (within === null) return null
    // Numbers that repeat within a stream only are events that are there twice, or share a number.
    if (streams > 1 && within.repeated === through.repeated) return { scope: 'log', ...through, streams }
    return { scope: 'stream', ...within, streams }
  }

  #streamNumber(first: number, second: number): number {
    const hash = (first >>> 0) * 2 ** 21 + (second >>> 11)
    let stream = this.#streamOf.get(hash)
    if (stream === undefined) {
      stream = this.#streamOf.size
      this.#streamOf.set(hash, stream)
    }
    return stream
  }

  /** Null where the numbers lie too far apart to be positions. */
  #count(byStream: boolean): { missing: number; repeated: number } | null {
    const sequences = this.#sequences.subarray(0, this.#rows)
    let min = sequences[0]!
    let max = min
    for (const value of sequences) {
      if (value < min) min = value
      if (value > max) max = value
    }
    if (max - min >= 2n ** 32n) return null
    const pairs = new BigUint64Array(this.#rows)
    const words = new Uint32Array(pairs.buffer)
    for (let row = 0; row < this.#rows; row++) {
      words[2 * row] = Number(sequences[row]! - min)
      words[2 * row + 1] = byStream ? this.#streams[row]! : 0
    }
    pairs.sort()
    let missing = 0
    let repeated = 0
    for (let row = 1; row < this.#rows; row++) {
      if (words[2 * row + 1] !== words[2 * row - 1]) continue
      const step = words[2 * row]! - words[2 * row - 2]!
      if (step === 0) repeated++
      else missing += step - 1
    }
    return { missing, repeated }
  }
}

function delayOf(delays: Float64Array, unit: TimeUnit): Delay | null {
  if (delays.length === 0) return null
  delays.sort()
  let negative = 0
  while (negative < delays.length && delays[negative]! < 0) negative++
  const at = (quantile: number): number => delays[Math.round(quantile * (delays.length - 1))]!
  return { unit, negative, quantiles: quantiles.map((quantile) => ({ quantile, delay: at(quantile) })) }
}

function countRepeated(words: Int32Array): number {
  const identities = new BigUint64Array(words.buffer, 0, words.length / 2).sort()
  let repeated = 0
  for (let row = 1; row < identities.length; row++) if (identities[row] === identities[row - 1]) repeated++
  return repeated
}
