import { columnFromValues, MisfitError } from '../columns/from-values.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import type { LogPlan } from '../model/plan.ts'
import { momentClock } from '../time/moment-clock.ts'
import { compileEventCursor, type EventCursor } from '../view/fold.ts'
import { guarded } from '../view/purity.ts'
import { describeResult, refusePromise } from '../view/results.ts'
import { ValueError } from '../view/runtime.ts'
import type { Batch } from './event-batch.ts'
import { functionError } from './places.ts'
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
  const clock = momentClock(log.timeUnit, log.zone)
  const values: unknown[][] = log.slots.map(() => [])
  const origin: number[] = []
  let dropped = 0
  cursor.bindColumns(batch.columns)
  const event = cursor.event as Readonly<Record<string, unknown>>
  for (const row of old) {
    const name = types.names[types.codes[row]!]!
    cursor.seek(row)
    try {
      const made = changesOf(
        log,
        guarded(() => functions[name]!(event), clock),
      )
      if (made.length === 0) dropped++
      for (const changes of made) {
        log.slots.forEach((slot, index) => {
          const changed = Object.hasOwn(changes, slot.name)
          values[index]!.push(changed ? changes[slot.name] : slotValue(event, slot.name, batch.columns[index]!, row))
        })
        origin.push(row)
      }
    } catch (error) {
      throw upcastError(log, name, batch, row, error)
    }
  }
  const columns = log.slots.map((slot, index) => {
    try {
      return columnFromValues(slot.type, values[index]!, 'handler') as SlotColumn
    } catch (error) {
      if (!(error instanceof MisfitError)) throw error
      const row = origin[error.row]!
      const reason = new ValueError(slot.name, `field "${slot.name}": ${error.message}`)
      throw upcastError(log, types.names[types.codes[row]!]!, batch, row, reason)
    }
  })
  const made: Batch = { ...batch, rows: origin.length, columns, origin: Int32Array.from(origin) }
  return { batch: made, rows: origin.length, dropped }
}

function upcastError(log: LogPlan, type: string, batch: Batch, row: number, error: unknown): Error {
  return functionError({ handler: `upcast ${type}` }, `Log ${log.name}, its upcast of ${type}`, batch, row, error)
}

/** What an upcaster returned, as a list of changes. Who an event is and when it was can't change. */
function changesOf(log: LogPlan, result: unknown): readonly Readonly<Record<string, unknown>>[] {
  const list: readonly unknown[] = result === null ? [] : Array.isArray(result) ? result : [result]
  for (const changes of list) {
    if (!isPlain(changes)) {
      refusePromise(changes)
      const expected = 'an object of what changes, several in an array, or null'
      throw new ValueError('upcast', `expected ${expected}, found ${describeResult(changes)}`)
    }
    for (const [name, value] of Object.entries(changes)) refuseChange(log, name, value)
  }
  return list as readonly Readonly<Record<string, unknown>>[]
}

/** What else an object may be, a Map for one, has its contents elsewhere: they would be lost. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function refuseChange(log: LogPlan, name: string, value: unknown): void {
  const { type, id, key, occurredAt, recordedAt, sequence } = log.roles
  const slot = log.slots.findIndex((candidate) => candidate.name === name)
  if (slot < 0 || [...id, key, occurredAt, recordedAt, sequence].includes(slot)) {
    throw new ValueError(name, `expected changes of ${type < 0 ? '' : 'type or '}fields, found "${name}"`)
  }
  if (slot === type && typeof value !== 'string') {
    throw new ValueError(name, `type: expected a string, found ${String(value)}`)
  }
}

/** A value to be handed on as it is, though handlers could not read it. */
function slotValue(event: Readonly<Record<string, unknown>>, name: string, column: SlotColumn, row: number): unknown {
  if (column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return null
  return column.kind === 'int64' ? column.values[row] : event[name]
}
