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

const secondNanoseconds = 1_000_000_000n
/** The first second of the year 1 and the last of the year 9999, since 1970. */
const [firstSecond, lastSecond] = [-62_135_596_800n, 253_402_300_799n]

/** The numbers of a unit that are moments of the years 1 to 9999. What lies beyond counts something else. */
export function boundsOf(unit: StoredUnit): { readonly min: bigint; readonly max: bigint } {
  return bounds[unit]
}

function boundsIn(unit: StoredUnit): { readonly min: bigint; readonly max: bigint } {
  const steps = secondNanoseconds / nanosecondsOf[unit]
  return { min: firstSecond * steps, max: lastSecond * steps + steps - 1n }
}

const bounds = { s: boundsIn('s'), ms: boundsIn('ms'), us: boundsIn('us'), ns: boundsIn('ns') } as const

/** What is wrong with a number that is no moment of its declared unit, as `expected …, found …`. */
export function outOfBounds(value: bigint, unit: StoredUnit): { readonly expected: string; readonly found: string } {
  const units = Object.keys(nanosecondsOf) as StoredUnit[]
  const fits = units.find((other) => value >= boundsOf(other).min && value <= boundsOf(other).max)
  const remedy = fits === undefined ? '' : `; if it counts in ${fits}, declare storedAs: '${fits}'`
  return {
    expected: `a moment of the years 1 to 9999, as the column is declared as storedAs: '${unit}'`,
    found: `${value}${remedy}`,
  }
}
