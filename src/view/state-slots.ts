import { type Slot, storageOf } from '../model/slots.ts'
import type { Fields } from '../model/type.ts'

/** A state's columns as slots, for states that travel as packed rows. */
export function stateSlots(state: Fields): Slot[] {
  return Object.entries(state).map(([name, type]) => ({
    name,
    type,
    storage: storageOf(type),
    mayBeNull: type.nullable,
  }))
}
