import { idColumnText, joinId } from '../model/event-id.ts'
import { TIE } from '../model/order.ts'
import { type FoldedLog, rolesOf } from '../model/plan.ts'
import { NO_HANDLER } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { type FoundEvent, type OrderFound, OrderTally } from '../view/order-tally.ts'
import { type RowLayout, rowWords, typeCodeOf } from '../view/row-layout.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import type { Bucket } from './bucket.ts'
import { keyBytesAt, keyReader } from './bucket-keys.ts'
import type { CompareRows } from './compare-rows.ts'
import { placesBySlot } from './order.ts'
import { compileRowValue, type PackedRows, type ReadRowValue } from './row-value.ts'

/** What a view's events are counted by. */
export interface CountedView {
  readonly log: FoldedLog
  readonly group: PreparedGroup
  readonly view: PreparedView
  readonly handlerOf: Uint8Array
  readonly layout: RowLayout
  readonly compare: CompareRows
}

/** A row that outlives its piece of a bucket. */
interface KeptRow {
  readonly slot: number
  readonly words: Int32Array
}

/**
 * Counts the events of one view whose place among those of their key nothing declared decides, and those whose place is
 * not that of their sequence. Only events that the view folds are looked at, so that it doesn't matter with which other views
 * it is folded.
 */
export class OrderCount {
  readonly #given: CountedView
  /** By log that the view reads. */
  readonly #members: readonly CountedMember[]
  /** Whether any of them has streams. */
  readonly #hasStreams: boolean
  #ties = new OrderTally()
  #against = new OrderTally()
  /** The last row of the piece before. */
  #kept: KeptRow | null = null

  constructor(given: CountedView) {
    this.#given = given
    this.#members = (given.log.sources ?? [null]).map((_, member) => countedMember(given, member))
    this.#hasStreams = this.#members.some(({ streams }) => streams !== null)
  }

  get view(): string {
    return this.#given.view.name
  }

  /** Begins a part. */
  restart(): void {
    this.#ties = new OrderTally()
    this.#against = new OrderTally()
  }

  /** Begins a bucket. */
  openBucket(): void {
    this.#ties.restart()
    this.#against.restart()
    this.#openKey()
    this.#kept = null
  }

  /**
   * Takes a whole bucket whose rows are in order.
   *
   * @param tied By slot: 1 for keys that may have ties; null where none has.
   */
  takeBucket(bucket: Bucket, tied: Uint8Array | null): void {
    if (!this.#hasStreams && tied === null) return
    const { places } = placesBySlot(bucket, this.#hasStreams ? null : tied)
    this.#walk(bucket, places, tied !== null)
  }

  /**
   * Takes a piece of a bucket that is sorted by key and order.
   *
   * @param mayTie Whether any two rows so far were found to be tied.
   */
  takePiece(bucket: Bucket, mayTie: boolean): void {
    const places = bucket.slotOf.subarray(0, bucket.rows).map((_, place) => place)
    this.#walk(bucket, places, mayTie)
    for (const { streams } of this.#members) streams?.keep()
  }

  found(): OrderFound {
    return { ties: this.#ties.found(), againstSequence: this.#against.found() }
  }

  /** @param places Of the bucket's rows: those of a key one after the other, in order. */
  #walk(bucket: Bucket, places: Int32Array, mayTie: boolean): void {
    const { handlerOf, compare } = this.#given
    const { words, rowAt, slotOf, strings } = bucket
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    const rows: PackedRows = { words, strings }
    let last = this.#kept?.slot ?? -1
    let before = -1
    for (const place of places) {
      const at = rowAt[place]!
      if (handlerOf[typeCodeOf(words, at)] === NO_HANDLER) continue
      const slot = slotOf[place]!
      if (slot !== last) this.#openKey()
      else if (mayTie) {
        const [of, a, b] = before >= 0 ? [rows, before, at] : this.#withKept(rows, at)
        const order =
          before >= 0 ? compare(words, bytes, strings, a, b) : compare(of.words, bytesOf(of.words), strings, a, b)
        if (order === TIE || order === -TIE) {
          this.#ties.add(
            slot,
            this.#finder(bucket, slot, () => [this.#idAt(of, a), this.#idAt(of, b)]),
          )
        }
      }
      const larger = this.#memberAt(rows, at).streams?.take(rows, at) ?? null
      if (larger !== null) {
        this.#against.add(
          slot,
          this.#finder(bucket, slot, () => [this.#idAt(larger.rows, larger.at), this.#idAt(rows, at)]),
        )
      }
      last = slot
      before = at
    }
    if (before >= 0) this.#kept = { slot: last, words: words.slice(before, before + rowWords(words, before)) }
  }

  /** The last row of the piece before, and a row of this one, in one array. */
  #withKept({ words, strings }: PackedRows, at: number): [PackedRows, number, number] {
    const kept = this.#kept!.words
    const both = new Int32Array(kept.length + rowWords(words, at))
    both.set(kept)
    both.set(words.subarray(at, at + rowWords(words, at)), kept.length)
    return [{ words: both, strings }, 0, kept.length]
  }

  #openKey(): void {
    for (const { streams } of this.#members) streams?.openKey()
  }

  #memberAt({ words }: PackedRows, at: number): CountedMember {
    const { memberOf } = this.#given.group
    return this.#members[memberOf[typeCodeOf(words, at) % memberOf.length]!]!
  }

  #idAt(rows: PackedRows, at: number): string {
    const { log } = this.#given
    return joinId(
      this.#memberAt(rows, at).ids.map(([slot, read]) => idColumnText(log.slots[slot]!.type, read(rows, at))),
    )
  }

  #finder(bucket: Bucket, slot: number, events: () => [string, string]): () => FoundEvent {
    const { view } = this.#given
    return () => ({
      keyBytes: keyBytesAt(bucket.table, slot),
      describe: () => ({ key: showKey(keyReader(bucket, view)(slot)), events: events() }),
    })
  }
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

interface LargestSequence {
  sequence: number | bigint
  /** Where the row is that has it. */
  rows: PackedRows
  at: number
}

/** The largest sequence of each stream among a key's events so far. */
class StreamSequences {
  readonly #streamOf: ReadRowValue
  readonly #sequenceOf: ReadRowValue
  /** By stream: the sequence, and the row that has it. */
  readonly #largest = new Map<string | number | bigint, LargestSequence>()

  constructor(streamOf: ReadRowValue, sequenceOf: ReadRowValue) {
    this.#streamOf = streamOf
    this.#sequenceOf = sequenceOf
  }

  openKey(): void {
    this.#largest.clear()
  }

  /** @returns The row of the stream that has a larger sequence and came before; null where there is none. */
  take(rows: PackedRows, at: number): LargestSequence | null {
    const stream = this.#streamOf(rows, at)
    const sequence = this.#sequenceOf(rows, at) as number | bigint
    const known = this.#largest.get(stream)
    if (known === undefined) {
      this.#largest.set(stream, { sequence, rows, at })
      return null
    }
    if (sequence < known.sequence) return known
    known.sequence = sequence
    known.rows = rows
    known.at = at
    return null
  }

  /** Copies what is known from memory that gets other rows. */
  keep(): void {
    for (const known of this.#largest.values()) {
      const { rows, at } = known
      known.rows = { words: rows.words.slice(at, at + rowWords(rows.words, at)), strings: rows.strings }
      known.at = 0
    }
  }
}

/** One of the logs that a view reads. */
interface CountedMember {
  readonly ids: readonly (readonly [number, ReadRowValue])[]
  readonly streams: StreamSequences | null
}

function countedMember(given: CountedView, member: number): CountedMember {
  const { log, group, layout } = given
  const ids = rolesOf(log, member).id.map(
    (slot) => [slot, compileRowValue(layout, group.plan.slots.indexOf(slot))] as const,
  )
  return { ids, streams: log.sources === undefined ? streamSequences(given) : sequencesBetween(given, member) }
}

/**
 * Events of several logs are ordered by when they were recorded, whatever the sequence of one of them says. Where its order
 * names no stream, a key has one of it.
 */
function sequencesBetween({ log, group: { plan }, layout }: CountedView, member: number): StreamSequences | null {
  const { key, sequence } = rolesOf(log, member)
  const isOrderedBy = (slot: number) => plan.order.some((term) => term.by === 'slot' && term.slot === slot)
  if (sequence < 0 || !isOrderedBy(sequence)) return null
  return new StreamSequences(
    isOrderedBy(key) ? compileRowValue(layout, key) : () => 0,
    compileRowValue(layout, sequence),
  )
}

/** Null where the group's order doesn't compare streams before it compares their sequence. */
function streamSequences({ log: { roles }, group: { plan }, layout }: CountedView): StreamSequences | null {
  const placeOf = (slot: number) => plan.order.findIndex((term) => term.by === 'slot' && term.slot === slot)
  const [key, sequence] = [placeOf(roles.key), placeOf(roles.sequence)]
  if (roles.sequence < 0 || key < 0 || sequence < key) return null
  const reader = (slot: number) => compileRowValue(layout, plan.slots.indexOf(slot))
  return new StreamSequences(reader(roles.key), reader(roles.sequence))
}
