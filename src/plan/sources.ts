import { declareZone } from '../columns/moment-text.ts'
import { accepts } from '../model/accepted.ts'
import type { LogicalType } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { SlotSource } from '../model/plan.ts'
import { nearest } from '../model/suggest.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile, SchemaField } from '../parquet/file.ts'
import { type Shape, shapeAt, stepInto } from '../parquet/nested-shape.ts'
import { isDecodable } from './files.ts'
import { holdsLocalTimes, momentProblem } from './moment-sources.ts'
import { leadsSomewhere, namesBeside } from './nested-paths.ts'
import { remedyFor } from './remedy.ts'

/** A slot before files are read: what is declared of it. */
export interface DeclaredSlot {
  readonly name: string
  /** The role or the field, in words, for messages. */
  readonly what: string
  /** Undefined where the declaration leaves the type to the file. */
  readonly type: Type | undefined
  readonly from: string | readonly string[]
  /** What local times mean where neither type nor column says it. */
  readonly zone: ZoneRules
}

export type ZoneRules = Pick<Type, 'zone' | 'disambiguation' | 'assumesUtc'>

/** Where a file has a slot: a column, a path into one, a Hive folder's value, or what is declared for files without it. */
export function findSource(slot: DeclaredSlot, file: ParquetFile, folders: ReadonlyMap<string, string>): SlotSource {
  const steps = pathOf(slot.from, file, folders)
  const name = steps[0]!
  if (!file.schema.some((field) => field.name === name)) {
    const folder = steps.length === 1 ? folders.get(name) : undefined
    if (folder !== undefined && !isDecodable(file.path, name)) throw undecodable(slot, file, name, folder)
    if (folder !== undefined) return { kind: 'constant', value: folderValue(folder), origin: 'folder' }
    if (slot.type?.whenMissing !== undefined)
      return { kind: 'constant', value: slot.type.whenMissing, origin: 'missing' }
    throw missing(slot, file, steps, folders)
  }
  return descend(slot, file, steps)
}

/** A dotted name is a path unless a column has that whole name. */
function pathOf(
  from: string | readonly string[],
  file: ParquetFile,
  folders: ReadonlyMap<string, string>,
): readonly string[] {
  if (typeof from !== 'string') return from
  if (file.schema.some((field) => field.name === from) || folders.has(from)) return [from]
  return from.split('.')
}

const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'

function undecodable(slot: DeclaredSlot, file: ParquetFile, column: string, found: string): InputError {
  return new InputError(
    `Cannot read ${file.path}, column "${column}" (${slot.what}): expected the percent-encoded UTF-8 text of a folder, found ${JSON.stringify(found)}. Rename the folder: a percent sign is written %25.`,
    { file: file.path, column },
  )
}

function folderValue(text: string): string | null {
  return text === NULL_FOLDER ? null : text
}

function descend(slot: DeclaredSlot, file: ParquetFile, steps: readonly string[]): SlotSource {
  let field: SchemaField | undefined
  let fields = file.schema
  for (let i = 0; i < steps.length; i++) {
    const next = fields.find((candidate) => candidate.name === steps[i])
    if (next === undefined) {
      if (field !== undefined && mayHoldMore(field) && leadsSomewhere(slot, file, steps, i)) {
        refuseWrongLeaf(slot, file, steps, i)
        return { kind: 'inside', path: steps.slice(0, i), steps: steps.slice(i) }
      }
      if (slot.type?.whenMissing !== undefined)
        return { kind: 'constant', value: slot.type.whenMissing, origin: 'missing' }
      throw missing(slot, file, steps, new Map())
    }
    field = next
    fields = next.isStruct ? next.children : []
  }
  refuseWrongType(slot, file, steps, field!.type)
  if (field!.type.kind === 'nested') refuseLocalTimes(slot, file, steps, shapeAt(file, steps))
  return { kind: 'column', path: steps }
}

/** Text, which may be JSON, and what is nested but no struct. */
function mayHoldMore({ type: { kind }, isStruct }: SchemaField): boolean {
  return kind === 'json' || kind === 'string' || kind === 'binary' || (kind === 'nested' && !isStruct)
}

function missing(
  slot: DeclaredSlot,
  file: ParquetFile,
  steps: readonly string[],
  folders: ReadonlyMap<string, string>,
): InputError {
  const names = namesBeside(file, steps, folders)
  const found = names.map((name) => (folders.has(name) ? `${name} (folder)` : name)).join(', ')
  const meant = nearestPath(steps, names)
  return new InputError(
    `Cannot read ${file.path}: expected column "${steps.join('.')}" (${slot.what}), found ${found}.${meant === undefined ? '' : ` Did you mean "${meant}"?`} Name the right column, or declare whenMissing for files without it.`,
    { file: file.path, column: steps.join('.') },
  )
}

/** The path that may have been meant: with the name nearest to its last. */
function nearestPath(steps: readonly string[], names: readonly string[]): string | undefined {
  const meant = nearest(steps.at(-1)!, names)
  return meant === undefined ? undefined : [...steps.slice(0, -1), meant].join('.')
}

/**
 * Refuses a slot that no file has though one has a column of nearly its name: what is declared for files without the column is
 * then more likely a slip than meant.
 */
export function refuseMisnamed(
  slot: DeclaredSlot,
  sources: readonly SlotSource[],
  files: readonly { readonly parquet: ParquetFile; readonly folders: ReadonlyMap<string, string> }[],
): void {
  const isMissing = (source: SlotSource) => source.kind === 'constant' && source.origin === 'missing'
  if (slot.type?.optional === true || sources.length === 0 || !sources.every(isMissing)) return
  const steps = typeof slot.from === 'string' ? slot.from.split('.') : slot.from
  // Of short names any two are near each other.
  if (steps.at(-1)!.length < NEAR_NAME_LENGTH_MIN) return
  for (const { parquet, folders } of files) {
    const meant = nearestPath(steps, namesBeside(parquet, steps, folders))
    if (meant === undefined) continue
    throw new InputError(
      `Cannot read ${parquet.path}: no file of the log has column "${steps.join('.')}" (${slot.what}). Did you mean "${meant}"? If the column is yet to come, declare optional: true besides whenMissing.`,
      { file: parquet.path, column: steps.join('.') },
    )
  }
}

const NEAR_NAME_LENGTH_MIN = 4

function refuseWrongType(slot: DeclaredSlot, file: ParquetFile, steps: readonly string[], found: LogicalType): void {
  const { type } = slot
  if (type?.kind === 'timestamp') {
    if (found.kind !== 'null' && !isAllNull(file, steps)) refuseMoments(slot, type, file.path, steps, found)
    return
  }
  if (type === undefined || accepts(type, found) || isAllNull(file, steps)) return
  const place = { file: file.path, column: steps.join('.') }
  throw new InputError(
    `Cannot read ${file.path}, column "${steps.join('.')}" (${slot.what}): expected ${type.kind}, found ${describeType(found)}.${remedyFor(slot, found, steps)}`,
    place,
  )
}

/** Whether statistics say that a file has no value of a column. */
function isAllNull({ rowGroups }: ParquetFile, path: readonly string[]): boolean {
  return rowGroups.every((rowGroup) => rowGroup.statistics(path)?.nullCount === rowGroup.rows)
}

export function refuseMoments(
  slot: DeclaredSlot,
  type: Type,
  path: string,
  steps: readonly string[],
  found: LogicalType,
): void {
  const column = steps.join('.')
  const problem = momentProblem({ ...type, from: column }, found)
  if (problem === null) return
  throw new InputError(
    `Cannot read ${path}, column "${column}" (${slot.what}): expected moments, found ${describeType(found)}; ${problem}.`,
    { file: path, column },
  )
}

/** Documents have moments in UTC, so the zone of local times must be known. */
function refuseLocalTimes(
  { what, type }: DeclaredSlot,
  { path }: ParquetFile,
  steps: readonly string[],
  shape: Shape | undefined,
): void {
  if (type?.kind !== 'json' || type.assumesUtc !== true || !holdsLocalTimes(shape, type)) return
  const column = steps.join('.')
  throw new InputError(
    `Cannot read ${path}, column "${column}" (${what}): expected moments, found local times within it; ${declareZone}.`,
    { file: path, column },
  )
}

/** What a list or a map holds may be anything that a document in JSON may, but a moment is no plain number there. */
function refuseWrongLeaf(slot: DeclaredSlot, file: ParquetFile, steps: readonly string[], depth: number): void {
  const leaf = steps.slice(depth).reduce(stepInto, shapeAt(file, steps.slice(0, depth)) as Shape | undefined)
  if (slot.type?.kind === 'json') {
    refuseLocalTimes(slot, file, steps, leaf)
    return
  }
  if (leaf?.kind === 'leaf' && slot.type?.kind === 'timestamp') refuseWrongType(slot, file, steps, leaf.type)
  else if (leaf?.kind === 'leaf' && inUnits.includes(leaf.type.kind)) refuseWrongType(slot, file, steps, leaf.type)
}

/** What a file has as an integer that means something in a unit or scale only. */
const inUnits: readonly LogicalType['kind'][] = ['decimal', 'timestamp', 'date', 'time', 'interval']

export function describeType(type: LogicalType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`
    case 'float':
      return `float${type.bits}`
    case 'timestamp':
      return `timestamp(${type.unit}, ${type.utc ? 'utc' : 'local'})`
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'binary':
      return type.width === undefined ? 'bytes without annotation' : `${type.width} bytes without annotation`
    default:
      return type.kind
  }
}
