import type { LogicalType } from '../model/column.ts'
import { ConfigurationError, InputError } from '../model/errors.ts'
import type { OrderRole, RoleSource } from '../model/log.ts'
import { parseMoment } from '../model/moment-text.ts'
import type { Strategy } from '../model/report.ts'
import type { TimeUnit, Type } from '../model/type.ts'
import { int64, string, timestamp } from '../model/types.ts'
import type { AnyLog, ViewDefinition } from '../model/view.ts'
import { footerSha256, openParquet, type ParquetFile, type RowGroup, type SchemaField } from '../parquet/file.ts'
import type { Files } from '../storage/files.ts'
import { nanosecondsIn } from '../view/from-values.ts'
import { type Slot, storageOf } from '../view/slots.ts'
import { folderColumns, listFiles } from './files.ts'
import { findPartitions, type Partitions } from './partitions.ts'
import type { FilePlan, GroupPlan, LogPlan, Plan, RoleSlots, RowGroupPlan, SlotSource, SplitPlan } from './plan.ts'
import { type DeclaredSlot, describeType, findSource } from './sources.ts'
import { chooseStrategy, hasFloats, travelStrategy } from './strategy.ts'

/** Rows of neighbouring row groups are mapped together up to this many. */
const SPLIT_ROWS = 131_072
/** Events a bucket is to hold: the state of their keys fits the CPU's cache. */
const BUCKET_ROWS = 65_536
const BUCKET_BITS_MAX = 12
/** Parts of a large log that are reduced at the same time however few its keys are. */
const PARTS_AT_ONCE = 4

/** Which names of an event a function reads; `all` where that can't be told. */
export type FieldsRead = (fn: (...args: never[]) => unknown, parameter: number) => ReadonlySet<string> | 'all'

export interface PlanInput {
  readonly job: string
  readonly views: readonly ViewDefinition[]
  /** By log: what to read instead of the files its definition names. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly knownAt?: string | undefined
  readonly asOf?: string | undefined
  /** How every view is to be folded; absent: as is best. */
  readonly strategy?: Strategy | undefined
  readonly fieldsRead: FieldsRead
  readonly files: Files
}

/** Looks at the logs' footers and decides what is to be done. */
export function makePlan(input: PlanInput): Plan {
  const logs = new Map<string, ViewDefinition[]>()
  for (const view of input.views) logs.set(view.log.name, [...(logs.get(view.log.name) ?? []), view])
  for (const name of Object.keys(input.inputs ?? {})) {
    if (!logs.has(name))
      throw new ConfigurationError(
        `Cannot read log ${name} from other files: the views read ${[...logs.keys()].join(', ')}.`,
      )
  }
  return { job: input.job, logs: [...logs.values()].map((views) => planLog(views[0]!.log, views, input)) }
}

function planLog(log: AnyLog, views: readonly ViewDefinition[], input: PlanInput): LogPlan {
  const declared = declareSlots(log)
  const opened = listFiles(log.name, input.inputs?.[log.name] ?? log.files).map((path) => openFile(path, input.files))
  const sources = opened.map(({ parquet, path }) =>
    declared.slots.map((slot) => findSource(slot, parquet, folderColumns(path))),
  )
  const upcasts = Object.keys(log.upcast as object).length > 0
  const slots = declared.slots.map((slot, index) => settleSlot(slot, index, opened, sources, upcasts))
  const { roles } = declared
  const order = orderSlots(log, roles)
  const knownAt = momentOption(log, roles.recordedAt, 'recordedAt', '--known-at', input.knownAt)
  const asOf = momentOption(log, roles.occurredAt, 'occurredAt', '--as-of', input.asOf)
  const step = nanosecondsIn[log.timeUnit as TimeUnit]
  const moments = { knownAt: knownAt === null ? null : knownAt * step, asOf: asOf === null ? null : asOf * step }
  const files = opened.map(
    ({ path, parquet, footerSha256 }, i): FilePlan => ({
      path,
      rows: parquet.rows,
      bytes: parquet.file.byteLength,
      footerSha256,
      sources: sources[i]!,
    }),
  )
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const splits = opened.flatMap(({ parquet }, file) => planSplits(parquet, file, sources[file]!, roles, moments))
  const partitions = log.partitionedByKey ? findPartitions(files, splits) : null
  const groups = planGroups(views, slots, roles, order, partitions, input)
  const inPlace = groups.some((group) => group.strategy === 'in-place')
  const bucketBits = Math.min(BUCKET_BITS_MAX, bitsFor(rows / BUCKET_ROWS))
  return {
    name: log.name,
    rows,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
    splits,
    mapTasks: inPlace ? partitions!.splits : splits.map((_, split) => [split]),
    slots,
    roles,
    order,
    identify: log.uniqueIds ? { by: 'nothing' } : (denseIds(opened, sources, slots, roles, rows) ?? { by: 'hashes' }),
    groups,
    bucketBits,
    reduceBits: Math.min(bucketBits, Math.max(4, bucketBits - 3)),
    timeUnit: log.timeUnit,
    knownAt,
    asOf,
  }
}

/** Ids spread over more bits than this for each event are found by hashes. */
const BITS_AN_ID_MAX = 32

/** Ids that are integers and, by every row group's statistics, close to each other. */
function denseIds(
  files: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  slots: readonly Slot[],
  roles: RoleSlots,
  rows: number,
): { by: 'bits'; min: bigint; span: number } | null {
  const [slot, ...more] = roles.id
  if (
    more.length > 0 ||
    slots[slot!]!.storage !== 'i64' ||
    slots[slot!]!.type.kind === 'decimal' ||
    slots[slot!]!.type.kind === 'timestamp'
  )
    return null
  let min: bigint | null = null
  let max: bigint | null = null
  for (const [i, { parquet }] of files.entries()) {
    const source = sources[i]![slot!]!
    if (source.kind !== 'column') return null
    for (const rowGroup of parquet.rowGroups) {
      const bounds = rowGroup.statistics(source.path)
      if (bounds?.min === undefined || bounds.max === undefined) return null
      const [low, high] = [BigInt(bounds.min), BigInt(bounds.max)]
      min = min === null || low < min ? low : min
      max = max === null || high > max ? high : max
    }
  }
  if (min === null || max === null) return null
  const span = max - min + 1n
  return span > 0n && span <= BigInt(rows * BITS_AN_ID_MAX + 65_536) ? { by: 'bits', min, span: Number(span) } : null
}

function bitsFor(count: number): number {
  return count <= 1 ? 0 : Math.ceil(Math.log2(count))
}

interface OpenedFile {
  readonly path: string
  readonly parquet: ParquetFile
  readonly footerSha256: string
}

/** A log may have more files than a process may have open, so each is closed before the next is opened. */
function openFile(path: string, files: Files): OpenedFile {
  const file = files.openForReading(path)
  try {
    return { path, parquet: openParquet(file), footerSha256: footerSha256(file) }
  } finally {
    file.close()
  }
}

function declareSlots(log: AnyLog): { slots: DeclaredSlot[]; roles: RoleSlots } {
  const slots: DeclaredSlot[] = []
  const columns = log.columns as Readonly<Record<string, RoleSource | readonly string[] | undefined>>
  const add = (name: string, what: string, source: RoleSource | undefined, bare: Type | undefined): number => {
    if (source === undefined) return -1
    const type = typeof source === 'string' ? bare : source
    slots.push({ name, what, type, from: typeof source === 'string' ? source : (source.from ?? name) })
    return slots.length - 1
  }
  const role = (name: string, bare: Type | undefined, asMoment = (source: RoleSource | undefined) => source) =>
    add(name, `the events' ${name}`, asMoment(columns[name] as RoleSource | undefined), bare)
  const moment = timestamp(log.timeUnit as 'us')
  const midnight = (source: RoleSource | undefined) =>
    typeof source === 'object' && source.kind === 'date' ? midnightOf(source, log.timeUnit) : source
  const id = Array.isArray(columns['id'])
    ? columns['id'].map((column: string, i: number) => add(`id[${i}]`, "part of the events' id", column, undefined))
    : [role('id', undefined)]
  const roles: RoleSlots = {
    id,
    key: role('key', string()),
    type: role('type', string()),
    occurredAt: role('occurredAt', moment, midnight),
    recordedAt: role('recordedAt', moment, midnight),
    sequence: role('sequence', int64()),
  }
  for (const [name, type] of Object.entries(log.fields as Readonly<Record<string, Type>>)) {
    slots.push({ name, what: `field ${name}`, type, from: type.from ?? name })
  }
  return { slots, roles }
}

/** A day that stands for a moment is its midnight, UTC. */
function midnightOf(day: Type, unit: TimeUnit): Type {
  const { whenMissing, ...rest } = day
  const moment = { ...rest, kind: 'timestamp', unit } as const
  if (typeof whenMissing !== 'number') return whenMissing === undefined ? moment : { ...moment, whenMissing }
  const instant = BigInt(whenMissing) * (86_400_000_000_000n / nanosecondsIn[unit])
  return { ...moment, whenMissing: unit === 'ns' ? instant : Number(instant) }
}

/**
 * The type of a slot in all files; one whose type is left to the files must have one type in all of them.
 *
 * @param upcasts An upcaster may put nulls where the files have none.
 */
function settleSlot(
  slot: DeclaredSlot,
  index: number,
  files: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  upcasts: boolean,
): Slot {
  let type = slot.type
  let settledBy = ''
  let mayBeNull = upcasts
  files.forEach(({ parquet, path }, i) => {
    const source = sources[i]![index]!
    if (source.kind !== 'column') {
      mayBeNull ||= source.kind === 'inside' || source.value === null
      type ??= string()
      return
    }
    const field = fieldAt(parquet.schema, source.path)
    mayBeNull ||= mayHoldNull(parquet, source.path)
    if (slot.type !== undefined) return
    const found = bareType(field.type, slot, path)
    if (type !== undefined && type.kind !== found.kind) {
      throw new InputError(
        `Cannot read ${path}, column "${source.path.join('.')}" (${slot.what}): expected ${type.kind} as in ${settledBy || files[0]!.path}, found ${describeType(field.type)}.`,
        { file: path, column: source.path.join('.') },
      )
    }
    type = finer(type, found)
    settledBy ||= path
  })
  const settled = { from: slot.from, ...type! }
  return { name: slot.name, type: settled, storage: storageOf(settled), mayBeNull }
}

/** Of two moments the one of the finer unit, so that no file's moments lose digits. */
function finer(before: Type | undefined, found: Type): Type {
  if (before?.unit === undefined || found.unit === undefined) return found
  return nanosecondsIn[before.unit] < nanosecondsIn[found.unit] ? before : found
}

function fieldAt(schema: readonly SchemaField[], path: readonly string[]): SchemaField {
  let fields = schema
  let field: SchemaField | undefined
  for (const name of path) {
    field = fields.find((candidate) => candidate.name === name)
    fields = field?.children ?? []
  }
  return field!
}

/** A schema that allows nulls is believed only where statistics don't show that there are none. */
function mayHoldNull(parquet: ParquetFile, path: readonly string[]): boolean {
  if (path.length === 1 && !fieldAt(parquet.schema, path).nullable) return false
  return parquet.rowGroups.some((rowGroup) => rowGroup.statistics(path)?.nullCount !== 0)
}

function bareType(found: LogicalType, slot: DeclaredSlot, path: string): Type {
  if (found.kind === 'int') return int64()
  if (found.kind === 'string' || found.kind === 'uuid' || found.kind === 'binary') return string()
  if (found.kind === 'date') return { kind: 'date', nullable: false }
  if (found.kind === 'timestamp') return { kind: 'timestamp', nullable: false, unit: found.unit }
  throw new InputError(
    `Cannot read ${path}, column "${slot.from}" (${slot.what}): expected integers or strings, found ${describeType(found)}.`,
    { file: path, column: String(slot.from) },
  )
}

/** Where a declared order leaves two events equal, their ids decide: else the order of the files would. */
function orderSlots(log: AnyLog, roles: RoleSlots): readonly number[] {
  const named = log.order as readonly OrderRole[] | undefined
  const names = new Set<OrderRole>([...(named ?? ['sequence', 'recordedAt']), 'id'])
  return [...names].flatMap((name) => (name === 'id' ? roles.id : roles[name] < 0 ? [] : [roles[name]]))
}

function momentOption(
  log: AnyLog,
  slot: number,
  role: string,
  option: string,
  text: string | undefined,
): bigint | null {
  if (text === undefined) return null
  if (slot < 0)
    throw new ConfigurationError(
      `${option}: log ${log.name} has no ${role} column, so it isn't known which events to keep. Declare columns.${role}.`,
    )
  return parseMoment(text, log.timeUnit, option)
}

/** Known-at and as-of in nanoseconds. */
interface Moments {
  readonly knownAt: bigint | null
  readonly asOf: bigint | null
}

function planSplits(
  parquet: ParquetFile,
  file: number,
  sources: readonly SlotSource[],
  roles: RoleSlots,
  moments: Moments,
): SplitPlan[] {
  const splits: SplitPlan[] = []
  let rowGroups: RowGroupPlan[] = []
  let rows = 0
  let bytes = 0
  const close = () => {
    if (rowGroups.length > 0) splits.push({ file, rowGroups, rows, bytes })
    rowGroups = []
    rows = 0
    bytes = 0
  }
  for (const rowGroup of parquet.rowGroups) {
    if (rows > 0 && rows + rowGroup.rows > SPLIT_ROWS) close()
    const skipped =
      liesBeyond(parquet, rowGroup, sources[roles.recordedAt], moments.knownAt) ||
      liesBeyond(parquet, rowGroup, sources[roles.occurredAt], moments.asOf)
    rowGroups.push({ index: rowGroup.index, rows: rowGroup.rows, skipped })
    rows += rowGroup.rows
    bytes += rowGroup.bytesCompressed
  }
  close()
  return splits
}

/** Whether statistics prove that all of a row group's moments are later than `until`, which is in nanoseconds. */
function liesBeyond(
  parquet: ParquetFile,
  rowGroup: RowGroup,
  source: SlotSource | undefined,
  until: bigint | null,
): boolean {
  if (until === null || source?.kind !== 'column') return false
  const type = fieldAt(parquet.schema, source.path).type
  const statistics = rowGroup.statistics(source.path)
  if (type.kind !== 'timestamp' || typeof statistics?.min !== 'bigint' || statistics.nullCount !== 0) return false
  return statistics.min * nanosecondsIn[type.unit] > until
}

function planGroups(
  views: readonly ViewDefinition[],
  slots: readonly Slot[],
  roles: RoleSlots,
  order: readonly number[],
  partitions: Partitions | null,
  { fieldsRead, strategy: forced }: Pick<PlanInput, 'fieldsRead' | 'strategy'>,
): GroupPlan[] {
  const indexOf = new Map(slots.map((slot, index) => [slot.name, index]))
  const reads = (fn: ((...args: never[]) => unknown) | undefined, parameter: number): number[] => {
    if (fn === undefined) return []
    const names = fieldsRead(fn, parameter)
    return names === 'all' ? [...slots.keys()] : [...names].flatMap((name) => indexOf.get(name) ?? [])
  }
  const groups: GroupPlan[] = []
  const sharing: ViewDefinition[] = []
  for (const view of views) {
    if (view.by === undefined && view.filter === undefined && travelStrategy(view).strategy === 'shuffle')
      sharing.push(view)
    else groups.push(planGroup([view]))
  }
  if (sharing.length > 0) groups.unshift(planGroup(sharing))
  return groups

  /** Whether any function of the view does more with an event than read its fields by name. */
  function escapes({ on, by, filter }: ViewDefinition): boolean {
    const handled = Object.values(on).some((handler) => handler !== undefined && fieldsRead(handler, 1) === 'all')
    return handled || [by, filter].some((fn) => fn !== undefined && fieldsRead(fn, 0) === 'all')
  }

  function planGroup(members: readonly ViewDefinition[]): GroupPlan {
    const { strategy, reason } = chooseStrategy(members, partitions, forced)
    const ordered = strategy !== 'combine' && members.some((view) => !view.orderFree || hasFloats(view))
    const read = members.flatMap((view) => Object.values(view.on).flatMap((handler) => reads(handler, 1)))
    const named = members.some((view) => view.onError === 'quarantine')
      ? [...roles.id, roles.type].filter((slot) => slot >= 0)
      : []
    const mapSlots = members.flatMap((view) => [...reads(view.by, 0), ...reads(view.filter, 0)])
    return {
      views: members.map((view) => view.name),
      strategy,
      ordered,
      reason,
      // Where states may be combined, few keys are one part; whether they are may depend on how the log is split.
      partsAtLeast: travelStrategy(members[0]!).strategy === 'combine' ? 1 : PARTS_AT_ONCE,
      slots: distinct([...read, ...named, ...(ordered ? order : [])]),
      mapSlots: distinct(mapSlots),
      copiesEvents: members.some((view) => escapes(view)),
    }
  }
}

function distinct(slots: readonly number[]): number[] {
  return [...new Set(slots)].sort((a, b) => a - b)
}
