import { nanosecondsIn } from '../columns/from-values.ts'
import type { LogicalType } from '../model/column.ts'
import { ConfigurationError, InputError } from '../model/errors.ts'
import type { OrderRole, RoleSource } from '../model/log.ts'
import type {
  FilePlan,
  GroupPlan,
  LogPlan,
  Plan,
  RecordedBounds,
  RecordedSpan,
  RoleSlots,
  RowGroupPlan,
  SlotSource,
  SplitPlan,
} from '../model/plan.ts'
import type { Strategy, VintageLength } from '../model/report.ts'
import { type Slot, storageOf } from '../model/slots.ts'
import type { TimeUnit, Type } from '../model/type.ts'
import { int64, string, timestamp } from '../model/types.ts'
import { type AnyLog, type ViewDefinition, vintagesName } from '../model/view.ts'
import { footerSha256, openParquet, type ParquetFile, type RowGroup } from '../parquet/file.ts'
import { fieldAt } from '../parquet/schema.ts'
import type { Store } from '../storage/store.ts'
import { makeCalendar } from '../time/calendar.ts'
import { parseMoment } from '../time/moments.ts'
import { silentSteps } from '../time/watermark.ts'
import { dayStarts } from '../time/zone.ts'
import { outputFields, vintageName } from '../view/view-set.ts'
import { folderColumns, listFiles, partitionName } from './files.ts'
import { findPartitions, type Partitions } from './partitions.ts'
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
  readonly vintages?: VintageLength | undefined
  readonly recorded?: RecordedBounds | undefined
  /** How every view is to be folded; absent: as is best. */
  readonly strategy?: Strategy | undefined
  readonly fieldsRead: FieldsRead
  readonly files: Store
}

/** Looks at the logs' footers and decides what is to be done. */
export function makePlan(input: PlanInput): Plan {
  if (input.vintages !== undefined) refuseVintages(input.views)
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

/** Vintages need a name of their own, and a log that says when it recorded its events. */
function refuseVintages(views: readonly ViewDefinition[]): void {
  for (const view of views) {
    const { name, log, key, window } = view
    const also = views.find((view) => view.name === vintagesName(name))
    if (also !== undefined) {
      throw new ConfigurationError(
        `--vintages: the vintages of view ${name} are published as view ${also.name}, and the job has another view of this name. Rename one of them, or rebuild them apart with --view.`,
      )
    }
    if (log.columns.recordedAt === undefined) {
      throw new ConfigurationError(
        `--vintages: log ${log.name} of view ${name} has no recordedAt column, so it isn't known what was known when. Declare columns.recordedAt, or leave out the view with --view.`,
      )
    }
    const columns = [window?.name, ...Object.keys(key ?? {}), ...Object.keys(outputFields(view))]
    if (columns.includes(vintageName)) {
      throw new ConfigurationError(
        `--vintages: view ${name} has a column ${vintageName}, which is the name of the column that its vintages add. Rename it.`,
      )
    }
  }
}

function planLog(log: AnyLog, views: readonly ViewDefinition[], input: PlanInput): LogPlan {
  const declared = declareSlots(log)
  const opened = listFiles(log.name, input.inputs?.[log.name] ?? log.files, input.files).map((path) =>
    openFile(path, input.files),
  )
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
  const recorded = recordedSpans(opened, input.recorded)
  const timeline = { ...moments, recorded, step, zone: log.zone, readsAll: input.vintages !== undefined }
  const partitionOf = opened.map(({ path }) => partitionName(path))
  const partitions = [...new Set(partitionOf)].sort()
  const files = opened.map(
    ({ path, parquet, footerSha256 }, i): FilePlan => ({
      path,
      rows: parquet.rows,
      bytes: parquet.file.byteLength,
      footerSha256,
      partition: partitions.indexOf(partitionOf[i]!),
      sources: sources[i]!,
    }),
  )
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const splits = opened.flatMap(({ parquet }, file) => planSplits(parquet, file, sources[file]!, roles, timeline))
  const keyPartitions = log.partitionedByKey ? findPartitions(files, splits) : null
  const groups = planGroups(views, slots, roles, order, keyPartitions, input)
  const inPlace = groups.some((group) => group.strategy === 'in-place')
  const bucketBits = Math.min(BUCKET_BITS_MAX, bitsFor(rows / BUCKET_ROWS))
  return {
    name: log.name,
    rows,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
    splits,
    mapTasks: inPlace ? keyPartitions!.splits : splits.map((_, split) => [split]),
    slots,
    roles,
    order,
    identify: log.uniqueIds ? { by: 'nothing' } : (denseIds(opened, sources, slots, roles, rows) ?? { by: 'hashes' }),
    groups,
    bucketBits,
    reduceBits: Math.min(bucketBits, Math.max(4, bucketBits - 3)),
    timeUnit: log.timeUnit,
    zone: log.zone,
    recordsDays:
      opened.length > 0 && opened.every(({ parquet }, i) => holdsDays(parquet, sources[i]![roles.recordedAt])),
    silentAfter: silentSteps(log.silentAfter, log.timeUnit),
    knownAt,
    asOf,
    recorded,
    partitions,
    vintages: input.vintages ?? null,
    momentSlots: distinct([
      ...(views.some((view) => view.window !== undefined) ? [roles.occurredAt, roles.recordedAt] : []),
      ...(input.vintages === undefined ? [] : [roles.recordedAt]),
    ]),
  }
}

const NOTHING = -(2n ** 63n)

/** The spans of all files where their partitions have bounds. */
function recordedSpans(files: readonly OpenedFile[], bounds: RecordedBounds | undefined): LogPlan['recorded'] {
  if (bounds?.after === undefined && bounds?.until === undefined) return null
  const spans = files.map(({ path }): [string, RecordedSpan] => {
    const partition = partitionName(path)
    const until = bounds.until === undefined ? null : (bounds.until[partition] ?? NOTHING)
    return [path, { after: bounds.after?.[partition] ?? null, until }]
  })
  return Object.fromEntries(spans)
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
function openFile(path: string, files: Store): OpenedFile {
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
    slots.push({
      name,
      what,
      type: inZone(type, log.zone),
      from: typeof source === 'string' ? source : (source.from ?? name),
    })
    return slots.length - 1
  }
  const role = (name: string, bare: Type | undefined, asMoment = (source: RoleSource | undefined) => source) =>
    add(name, `the events' ${name}`, asMoment(columns[name] as RoleSource | undefined), bare)
  const moment = timestamp(log.timeUnit as 'us')
  const midnight = (source: RoleSource | undefined) =>
    typeof source === 'object' && source.kind === 'date' ? midnightOf(source, log) : source
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
    slots.push({ name, what: `field ${name}`, type: inZone(type, log.zone), from: type.from ?? name })
  }
  return { slots, roles }
}

/** Files may hold days where moments are declared. */
function inZone<T extends Type | undefined>(type: T, zone: string): T {
  return type?.kind === 'timestamp' ? { ...type, zone } : type
}

/** A day that stands for a moment is its midnight in the log's zone. */
function midnightOf(day: Type, { timeUnit: unit, zone }: AnyLog): Type {
  const { whenMissing, ...rest } = day
  const moment = { ...rest, kind: 'timestamp', unit } as const
  if (typeof whenMissing !== 'number') return whenMissing === undefined ? moment : { ...moment, whenMissing }
  const instant = BigInt(dayStarts(zone)(whenMissing)) * (1_000_000n / nanosecondsIn[unit as TimeUnit])
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
  return parseMoment(text, { unit: log.timeUnit, zone: log.zone, option })
}

/** What decides which row groups are read: known-at and as-of in nanoseconds. */
interface Timeline {
  readonly knownAt: bigint | null
  readonly asOf: bigint | null
  readonly recorded: LogPlan['recorded']
  /** Nanoseconds in a step of the log's unit. */
  readonly step: bigint
  readonly zone: string
  /** Whether it must be known of every event when it was recorded. */
  readonly readsAll: boolean
}

function planSplits(
  parquet: ParquetFile,
  file: number,
  sources: readonly SlotSource[],
  roles: RoleSlots,
  timeline: Timeline,
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
  const { knownAt, asOf, zone } = timeline
  for (const rowGroup of parquet.rowGroups) {
    if (rows > 0 && rows + rowGroup.rows > SPLIT_ROWS) close()
    const recorded = momentBounds(parquet, rowGroup, sources[roles.recordedAt], zone)
    const occurred = asOf === null ? undefined : momentBounds(parquet, rowGroup, sources[roles.occurredAt], zone)
    const unknown =
      liesBeyond(recorded, knownAt) || liesOutside(recorded, timeline.recorded?.[parquet.path], timeline.step)
    const newest = unknown || roles.recordedAt < 0 ? null : newestOf(recorded, timeline)
    rowGroups.push({
      index: rowGroup.index,
      rows: rowGroup.rows,
      skipped: unknown || liesBeyond(occurred, asOf),
      newest,
    })
    rows += rowGroup.rows
    bytes += rowGroup.bytesCompressed
  }
  close()
  return splits
}

/** A row group's first and last moment in nanoseconds, by its statistics. */
/** Whether a column of moments is one of days. */
function holdsDays(parquet: ParquetFile, source: SlotSource | undefined): boolean {
  return source?.kind === 'column' && fieldAt(parquet.schema, source.path).type.kind === 'date'
}

interface MomentBounds {
  readonly min: bigint
  readonly max: bigint
  readonly nullCount: number | undefined
}

/** What statistics say of a column of moments; undefined where they say nothing. */
export function momentBounds(
  parquet: ParquetFile,
  rowGroup: RowGroup,
  source: SlotSource | undefined,
  zone: string,
): MomentBounds | undefined {
  if (source?.kind !== 'column') return undefined
  const { type } = fieldAt(parquet.schema, source.path)
  const { min, max, nullCount } = rowGroup.statistics(source.path) ?? {}
  if (min === undefined || max === undefined) return undefined
  if (type.kind === 'timestamp') {
    const step = nanosecondsIn[type.unit]
    return { min: BigInt(min) * step, max: BigInt(max) * step, nullCount }
  }
  if (type.kind !== 'date') return undefined
  const days = makeCalendar({ every: 'day', zone, unit: 'ms' })
  const midnight = (day: number | bigint | string | boolean) => days.startOf(Number(day)) * nanosecondsIn.ms
  return { min: midnight(min), max: midnight(max), nullCount }
}

/** Whether statistics prove that all of a row group's moments are later than `until`. */
function liesBeyond(bounds: MomentBounds | undefined, until: bigint | null): boolean {
  return until !== null && bounds !== undefined && bounds.nullCount === 0 && bounds.min > until
}

/** Whether statistics prove that nothing of a row group was recorded within a span. */
function liesOutside(bounds: MomentBounds | undefined, span: RecordedSpan | undefined, step: bigint): boolean {
  if (span === undefined || bounds === undefined) return false
  const isBefore = span.after !== null && bounds.nullCount === 0 && bounds.max <= span.after * step
  return isBefore || liesBeyond(bounds, span.until === null ? null : span.until * step)
}

function newestOf(recorded: MomentBounds | undefined, { knownAt, step, readsAll }: Timeline): bigint | 'unread' {
  if (readsAll || recorded === undefined || recorded.max % step !== 0n) return 'unread'
  return knownAt === null || recorded.max <= knownAt ? recorded.max / step : 'unread'
}

function planGroups(
  views: readonly ViewDefinition[],
  slots: readonly Slot[],
  roles: RoleSlots,
  order: readonly number[],
  partitions: Partitions | null,
  { fieldsRead, vintages, strategy: forced }: Pick<PlanInput, 'fieldsRead' | 'vintages' | 'strategy'>,
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
    const isKeyedByLog = view.by === undefined && view.filter === undefined && view.window === undefined
    if (isKeyedByLog && travelStrategy(view).strategy === 'shuffle') sharing.push(view)
    else groups.push(planGroup([view]))
  }
  if (sharing.length > 0) groups.unshift(planGroup(sharing))
  return groups

  /** Whether any function of the view does more with an event than read its fields by name. */
  function escapes({ on, by, filter, window }: ViewDefinition): boolean {
    const handled = Object.values(on).some((handler) => handler !== undefined && fieldsRead(handler, 1) === 'all')
    return handled || [by, filter, window?.measure].some((fn) => fn !== undefined && fieldsRead(fn, 0) === 'all')
  }

  function planGroup(members: readonly ViewDefinition[]): GroupPlan {
    const { strategy, reason } = chooseStrategy(members, partitions, forced, vintages !== undefined)
    const ordered = strategy !== 'combine' && members.some((view) => !view.orderFree || hasFloats(view))
    const read = members.flatMap((view) => Object.values(view.on).flatMap((handler) => reads(handler, 1)))
    const named = members.some((view) => view.onError === 'quarantine')
      ? [...roles.id, roles.type].filter((slot) => slot >= 0)
      : []
    const mapSlots = members.flatMap((view) => [
      ...reads(view.by, 0),
      ...reads(view.filter, 0),
      ...reads(view.window?.measure, 0),
      ...(view.window === undefined ? [] : [roles.occurredAt, roles.recordedAt]),
    ])
    if (vintages !== undefined) mapSlots.push(roles.recordedAt)
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
