import type { LogicalType } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { Type } from '../model/type.ts'
import type { DeclaredSlot } from './sources.ts'

/** How the first file has the text of a column that is named without a type. */
export interface FoundText {
  readonly isUuid: boolean
  readonly path: string
}

/**
 * Refuses files of which some have UUIDs and others text, where only a column's name is declared: the same UUID in upper case
 * would be another value.
 */
export function sameText(
  slot: DeclaredSlot,
  before: FoundText | undefined,
  { found, path, column }: { readonly found: LogicalType; readonly path: string; readonly column: string },
): FoundText | undefined {
  if (slot.type?.bare !== true || slot.type.kind !== 'string' || found.kind === 'null') return before
  const isUuid = found.kind === 'uuid'
  if (before === undefined || before.isUuid === isUuid) return before ?? { isUuid, path }
  const [expected, other] = before.isUuid ? ['UUIDs', 'text'] : ['text', 'UUIDs']
  throw new InputError(
    `Cannot read ${path}, column "${column}" (${slot.what}): expected ${expected} as in ${before.path}, found ${other}. ` +
      `Declare ${slot.name}: uuid('${column}') where all of it is UUIDs, or string('${column}') for texts as they are.`,
    { file: path, column },
  )
}

/** What to declare for a column that has one type in some files and another in others. */
export function unionOf({ name, from, what }: DeclaredSlot, before: Type, found: Type): string {
  const column = typeof from === 'string' ? from : from.join('.')
  const kinds = new Set([before.kind, found.kind])
  const kind = kinds.has('uuid') && kinds.has('string') ? 'uuid' : 'string'
  const reads = kind === 'uuid' ? 'reads both as UUIDs' : 'reads integers as the texts of their digits'
  return what.startsWith('part of') || kinds.has('date') || kinds.has('timestamp')
    ? 'Write the files with one type.'
    : `Declare ${name}: ${kind}('${column}'), which ${reads}.`
}
