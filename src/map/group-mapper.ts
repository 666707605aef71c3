import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import type { BatchTypes } from '../scan/types.ts'
import { lateCode, type PreparedGroup, typeCode } from '../view/view-set.ts'
import { type ChosenRows, selectRows } from './chosen-rows.ts'
import { countApplied } from './count-applied.ts'
import type { BlockPlace, MappedBatch, MapSide } from './map-side.ts'
import type { BatchPeriods } from './periods.ts'
import type { MapTotals } from './totals.ts'
import { makeTriangleCounter, type TriangleCounter } from './triangle.ts'
import { settleTypes } from './unknown-types.ts'
import { makeWindowReader, type WindowReader } from './windows.ts'

/** What a group adds to: one split's totals, and its place among the group's blocks. */
export interface GroupSplit {
  readonly at: BlockPlace
  readonly totals: MapTotals
  /** Counts the keys, of all batches together. */
  readonly sketch: Uint8Array
}

/** Maps batches for the views of one group: chooses rows, counts their outcomes, and hands them to its strategy. */
export class GroupMapper {
  readonly needed: readonly number[]
  readonly mayQuarantine: boolean
  readonly side: MapSide
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #windows: WindowReader | null
  readonly #triangle: TriangleCounter | null

  constructor(log: LogPlan, group: PreparedGroup, side: MapSide) {
    this.#log = log
    this.#group = group
    this.side = side
    const { plan, views } = group
    const { window } = views[0]!
    this.needed = [...plan.slots, ...plan.mapSlots, ...side.slots]
    this.mayQuarantine = views.some((view) => view.definition.unknown === 'quarantine')
    this.#windows = window === null ? null : makeWindowReader(log, window)
    this.#triangle = window === null ? null : makeTriangleCounter(log, group)
  }

  /** @returns Null where the batch holds nothing for the group, or the group's events are folded in place. */
  map(
    batch: Batch,
    rows: Int32Array,
    types: BatchTypes,
    periods: BatchPeriods | null,
    { at, totals, sketch }: GroupSplit,
  ): MappedBatch | null {
    const codeOf = Uint16Array.from(types.names, (name) => typeCode(this.#group, name))
    const chosen: ChosenRows = { batch, rows, types, codeOf }
    const handled = settleTypes(this.#log, this.#group, chosen, totals)
    const kept = selectRows(rows, types.codes, handled, batch.memory)
    const windowed = this.#windows === null ? null : { reader: this.#windows, windows: this.#windows.read(batch) }
    const windows = windowed?.windows ?? null
    const found = this.side.emit(batch, kept, windows)
    const { emission } = found
    countApplied(this.#group, chosen, emission, windowed, totals)
    if (emission.count === 0) return null
    if (windows !== null) {
      this.#triangle!.count(batch, emission.rows, windows, totals.triangles[this.#group.views[0]!.name]!)
    }
    const typeCodes = translate(types.codes, codeOf, batch.memory.uint16(batch.rows))
    const late = windows?.late ?? null
    if (late !== null) markLate(kept, late, lateCode(this.#group), typeCodes)
    return found.send({ typeCodes, late, periods, at, sketch })
  }
}

function translate(codes: Int32Array, codeOf: Uint16Array, into: Uint16Array): Uint16Array {
  for (let row = 0; row < into.length; row++) into[row] = codeOf[codes[row]!]!
  return into
}

function markLate(rows: Int32Array, late: Uint8Array, code: number, typeCodes: Uint16Array): void {
  for (let i = 0; i < rows.length; i++) if (late[rows[i]!] === 1) typeCodes[rows[i]!]! += code
}
