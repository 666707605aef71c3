import { nanosecondsIn } from '../columns/moment-text.ts'
import { isFixed } from '../model/accepted.ts'
import type { LogicalType } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { SlotSource } from '../model/plan.ts'
import { type Slot, storageOf } from '../model/slots.ts'
import type { Type } from '../model/type.ts'
import { int64, string, uuid } from '../model/types.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { fieldAt } from '../parquet/schema.ts'
import { type FoundText, sameText, unionOf } from './bare-text.ts'
import { folderColumns } from './files.ts'
import type { OpenedFile } from './open-file.ts'
import { remedyFor } from './remedy.ts'
import { type DeclaredSlot, describeType, refuseMisnamed, refuseMoments } from './sources.ts'

/**
 * The type of a slot in all files; one whose type is left to the files must have one type in all of them.
 *
 * @param upcasts An upcaster may put nulls where the files have none.
 */
export function settleSlot(
  slot: DeclaredSlot,
  index: number,
  files: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  upcasts: boolean,
): Slot {
  refuseMisnamed(
    slot,
    sources.map((ofFile) => ofFile[index]!),
    files.map(({ parquet, path }) => ({ parquet, folders: folderColumns(path) })),
  )
  let type = slot.type
  let settledBy = ''
  let text: FoundText | undefined
  let mayBeNull = upcasts
  files.forEach(({ parquet, path }, i) => {
    const source = sources[i]![index]!
    if (source.kind !== 'column') {
      mayBeNull ||= source.kind === 'inside' || source.value === null
      type ??= string()
      return
    }
    const field = fieldAt(parquet.schema, source.path)
    mayBeNull ||= mayHoldNull(parquet, source.path, slot.type?.nullable === true)
    if (slot.type !== undefined) {
      text = sameText(slot, text, { found: field.type, path, column: source.path.join('.') })
      return
    }
    if (field.type.kind === 'null') return
    const found = bareType(field.type, slot, path)
    if (found.kind === 'timestamp') refuseMoments(slot, { ...slot.zone, ...found }, path, source.path, field.type)
    if (type !== undefined && type.kind !== found.kind) {
      throw new InputError(
        `Cannot read ${path}, column "${source.path.join('.')}" (${slot.what}): expected ${type.kind} as in ${settledBy || files[0]!.path}, found ${describeType(field.type)}. ${unionOf(slot, type, found)}`,
        { file: path, column: source.path.join('.') },
      )
    }
    type = finer(type, found)
    settledBy ||= path
  })
  const zone = slot.type === undefined && type?.kind === 'timestamp' ? slot.zone : {}
  const settled = { from: slot.from, ...zone, ...(type ?? string()) }
  return { name: slot.name, type: settled, storage: storageOf(settled), mayBeNull }
}

/** Of two moments the one of the finer unit, so that no file's moments lose digits. */
function finer(before: Type | undefined, found: Type): Type {
  if (before?.unit === undefined || found.unit === undefined) return found
  return nanosecondsIn[before.unit] < nanosecondsIn[found.unit] ? before : found
}

/**
 * Whether nulls are looked for. Where the field is declared nullable, the schema alone says it: some writers count no nulls
 * where there are some. Where it isn't, a null is an error, which statistics may spare the search for; one that
 * they don't count is found when the column is read.
 */
function mayHoldNull(parquet: ParquetFile, path: readonly string[], isDeclared: boolean): boolean {
  if (path.length === 1 && !fieldAt(parquet.schema, path).nullable) return false
  if (isDeclared) return true
  return parquet.rowGroups.some((rowGroup) => rowGroup.statistics(path)?.nullCount !== 0)
}

/** The type of a column whose declaration names none. */
function bareType(found: LogicalType, slot: DeclaredSlot, path: string): Type {
  if (found.kind === 'int' || (found.kind === 'decimal' && found.scale === 0)) return int64()
  if (found.kind === 'uuid') return uuid()
  if (found.kind === 'string' || (found.kind === 'binary' && !isFixed(found))) return { ...string(), bare: true }
  if (found.kind === 'date') return { kind: 'date', nullable: false }
  if (found.kind === 'timestamp') return { kind: 'timestamp', nullable: false, unit: found.unit }
  throw new InputError(
    `Cannot read ${path}, column "${slot.from}" (${slot.what}): expected integers or strings, found ${describeType(found)}.${remedyFor(slot, found, [String(slot.from)])}`,
    { file: path, column: String(slot.from) },
  )
}
