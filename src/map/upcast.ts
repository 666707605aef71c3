import type { LogPlan } from '../plan/plan.ts'
import { compileEventCursor, type EventCursor } from '../view/fold.ts'
import { columnFromValues } from '../view/from-values.ts'
import { guarded } from '../view/purity.ts'
import type { Batch } from './batch.ts'
import { placed } from './batch.ts'
import { functionError, placeOf } from './emission.ts'
import type { SlotColumn } from './to-slot.ts'
import type { BatchTypes } from './types.ts'

type UpcastFunction = (event: unknown) => unknown

/** A log's upcasters, ready to run. */
export interface Upcaster {
  readonly functions: Readonly<Record<string, UpcastFunction>>
  /** Slots that travel on: all that any upcaster or view reads. */
  readonly slots: readonly number[]
  readonly cursor: EventCursor
  /** By local type code: 1 where events of the type are to be upcast; null where none are. */
  isOld(names: readonly string[]): Uint8Array | null
}

export function makeUpcaster(log: LogPlan, functions: Readonly<Record<string, UpcastFunction>>): Upcaster | null {
  if (Object.keys(functions).length === 0) return null
  const slots = [...log.slots.keys()]
  return {
    functions,
    slots,
    cursor: compileEventCursor(log.slots, []),
    isOld(names) {
      const old = Uint8Array.from(names, (name) => (Object.hasOwn(functions, name) ? 1 : 0))
      return old.includes(1) ? old : null
    },
  }
}

/**
 * Old events as new ones: a batch of its own, each row remembering which row it comes from. New events of one old event
 * keep the order in which the upcaster gave them.
 *
 * @returns The batch, its number of rows, and how many old events became none.
 */
export function upcastRows(log: LogPlan, upcaster: Upcaster, batch: Batch, old: Int32Array, types: BatchTypes) {
  const { cursor, functions } = upcaster
  const values: unknown[][] = log.slots.map(() => [])
  const origin: number[] = []
  let dropped = 0
  cursor.bindColumns(batch.columns)
  const event = cursor.event as Readonly<Record<string, unknown>>
  for (const row of old) {
    const name = types.names[types.codes[row]!]!
    cursor.seek(row)
    try {
      const result = guarded(() => functions[name]!(event))
      const made = result === null ? [] : Array.isArray(result) ? result : [result]
      if (made.length === 0) dropped++
      for (const changes of made) {
        log.slots.forEach((slot, index) => {
          values[index]!.push(
            Object.hasOwn(changes, slot.name)
              ? changes[slot.name]
              : slotValue(event, slot.name, batch.columns[index]!, row),
          )
        })
        origin.push(row)
      }
    } catch (error) {
      throw functionError(`of log ${log.name}`, `upcast ${name}`, batch, row, error)
    }
  }
  const columns = log.slots.map((slot, index) =>
    placed(
      { ...placeOf(batch, old[0]!), column: slot.name },
      () => columnFromValues(slot.type, values[index]!, 'handler') as SlotColumn,
    ),
  )
  const made: Batch = {
    rows: origin.length,
    columns,
    file: batch.file,
    rowGroup: batch.rowGroup,
    origin: Int32Array.from(origin),
  }
  return { batch: made, rows: origin.length, dropped }
}

function slotValue(event: Readonly<Record<string, unknown>>, name: string, column: SlotColumn, row: number): unknown {
  if (column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return null
  return event[name]
}
