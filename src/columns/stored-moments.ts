import type { LogicalType } from '../model/column.ts'
import type { StoredAs, Type } from '../model/type.ts'
import { nanosecondsIn } from './moment-text.ts'

/** What a file's values are, where a slot of moments declares it. */

/** Nanoseconds in a step of each unit that integers may count moments in. */
export const nanosecondsOf = { s: 1_000_000_000n, ...nanosecondsIn } as const

export type StoredUnit = keyof typeof nanosecondsOf

/** The unit that a column's integers are declared to count moments in; undefined where none is. */
export function storedUnit(storedAs: StoredAs | undefined): StoredUnit | undefined {
  return storedAs !== undefined && storedAs in nanosecondsOf ? (storedAs as StoredUnit) : undefined
}

/** Whether a column's moments are local times: it says so itself, unless the declaration says otherwise. */
export function isLocal(leaf: LogicalType, { storedAs }: Type): boolean {
  if (leaf.kind !== 'timestamp') return false
  return storedAs === 'local' || (storedAs !== 'utc' && !leaf.utc)
}

/** What to declare of integers that are to be moments. */
export function declareUnit({ unit = 'us', from = '…' }: Pick<Type, 'unit' | 'from'>): string {
  const source = typeof from === 'string' ? `'${from}'` : JSON.stringify(from)
  return `declare what its numbers count since 1970, as timestamp('${unit}', ${source}, { storedAs: 's' }), or 'ms', 'us' or 'ns'`
}
