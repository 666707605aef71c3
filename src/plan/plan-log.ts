import { nanosecondsIn } from '../columns/moment-text.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { DuplicatesDefinition, RoleSource } from '../model/log.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { FilePlan, LogPlan, RecordedBounds, RecordedSpan, SlotSource } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { TimeUnit } from '../model/type.ts'
import type { AnyLog, LogView } from '../model/view.ts'
import { parseMoment } from '../time/moments.ts'
import { idleSteps } from '../time/watermark.ts'
import { declareSlots } from './declare-slots.ts'
import { denseIds } from './dense-ids.ts'
import { folderColumns, listFiles, partitionName } from './files.ts'
import { holdsDays, recordedSpanOf } from './moment-bounds.ts'
import { type OpenedFile, openFile } from './open-file.ts'
import { logOrders } from './order-terms.ts'
import { findPartitions } from './partitions.ts'
import { distinct, planGroups } from './plan-groups.ts'
import type { PlanInput } from './plan-input.ts'
import { planSplits, type Timeline } from './plan-splits.ts'
import { settleSlot } from './settle-slot.ts'
import { findSource } from './sources.ts'

/** Events a bucket is to hold: the state of their keys fits the CPU's cache. */
const BUCKET_ROWS = 65_536
const BUCKET_BITS_MAX = 12

/** A log and the views that read it. */
export interface ReadLog {
  readonly log: AnyLog
  /** Those that read no other. */
  readonly own: readonly LogView[]
  /** Views of several logs, as this one sees them. */
  readonly shares: readonly LogView[]
}

/**
 * What is to be done of one log, but for its part of views that read others too.
 *
 * @throws ConfigurationError where an option needs a column that the log lacks; InputError where its files don't hold what
 * is declared.
 */
export function planLog({ log, own, shares }: ReadLog, input: PlanInput): LogPlan {
  const declared = declareSlots(log)
  const { roles } = declared
  const opened = filesOf(log, input).map((path) => openFile(path, input.files))
  const sources = opened.map(({ parquet, path }) =>
    declared.slots.map((slot) => findSource(slot, parquet, folderColumns(path))),
  )
  const upcasts = Object.keys(log.upcast as object).length > 0
  const slots = declared.slots.map((slot, index) => settleSlot(slot, index, opened, sources, upcasts))
  const orders = logOrders(log, slots, roles)
  const knownAt = momentOption(log, roles.recordedAt, 'recordedAt', '--known-at', input.knownAt)
  const asOf = momentOption(log, roles.occurredAt, 'occurredAt', '--as-of', input.asOf)
  const recorded = recordedSpans(opened, input.recorded?.[log.name])
  const timeline = timelineOf(log, {
    ...{ knownAt, asOf, recorded, readsAll: input.vintages !== undefined },
    ...{ recordedAt: slots[roles.recordedAt]?.type, occurredAt: slots[roles.occurredAt]?.type },
  })
  const { files, partitions } = planFiles(opened, sources, slots, roles.recordedAt)
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const splits = opened.flatMap(({ parquet }, file) => planSplits(parquet, file, sources[file]!, roles, timeline))
  const keyPartitions = log.partitionedByKey ? findPartitions(files, splits) : null
  const { fieldsRead, returnsOf, vintages, strategy } = input
  const texts = { fieldsRead, returnsOf }
  const groups = planGroups(own, { slots, roles, orders, partitions: keyPartitions, ...texts, vintages, strategy })
  const inPlace = groups.some((group) => group.strategy === 'in-place')
  return {
    name: log.name,
    view: log.view?.name ?? null,
    rows,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
    splits,
    mapTasks: inPlace ? keyPartitions!.splits : splits.map((_, split) => [split]),
    slots,
    roles,
    identify: log.uniqueIds ? { by: 'nothing' } : (denseIds(opened, sources, slots, roles, rows) ?? { by: 'hashes' }),
    duplicates: duplicatesOf(log, slots),
    groups,
    ...bucketsFor(rows),
    timeUnit: log.timeUnit,
    zone: log.zone,
    recordsDays: recordsDays(log, opened, sources, roles.recordedAt),
    recordsWholeDays: log.recordsWholeDays,
    idleTimeout: idleSteps(log.idleTimeout, log.timeUnit),
    maxClockSkew: timeline.maxClockSkew,
    knownAt,
    asOf,
    moments: {
      knownAt: momentText(log, input.knownAt, '--known-at'),
      asOf: momentText(log, input.asOf, '--as-of'),
    },
    recorded,
    partitions,
    vintages: vintages ?? null,
    momentSlots: distinct([
      ...([...own, ...shares].some((view) => view.window !== undefined) ? [roles.occurredAt, roles.recordedAt] : []),
      ...(vintages === undefined && shares.length === 0 ? [] : [roles.recordedAt]),
    ]),
  }
}

/** Whether the log says on which day an event was recorded, and not when on it. */
function recordsDays(
  log: AnyLog,
  opened: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  recordedAt: number,
): boolean {
  const { recordedAt: role } = log.columns as Partial<Record<string, RoleSource>>
  const isDeclared = typeof role === 'object' && role.kind === 'date'
  const timed = opened.findIndex(({ parquet }, i) => !holdsDays(parquet, sources[i]![recordedAt], isDeclared))
  if (timed >= 0 && log.recordsWholeDays) {
    throw new ConfigurationError(
      `Cannot plan log ${log.name}: recordsWholeDays expects recordedAt to be days in every file, found something else in ${opened[timed]!.path}. ` +
        "Where its text holds days, declare them, as recordedAt: date('known'); else leave recordsWholeDays out: of moments, a day is over once a later one is recorded.",
      { file: opened[timed]!.path },
    )
  }
  return opened.length > 0 && timed < 0
}

function duplicatesOf({ duplicates }: AnyLog, slots: readonly Slot[]): LogPlan['duplicates'] {
  if (duplicates === undefined) return null
  const { ignore, keep }: DuplicatesDefinition = duplicates
  return { ignored: ignore.map((name) => slots.findIndex((slot) => slot.name === name)).sort((a, b) => a - b), keep }
}

function planFiles(
  opened: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  slots: readonly Slot[],
  recordedAt: number,
): Pick<LogPlan, 'files' | 'partitions'> {
  const partitionOf = opened.map(({ path }) => partitionName(path))
  const partitions = [...new Set(partitionOf)].sort()
  const files = opened.map(
    ({ path, parquet, footerSha256 }, i): FilePlan => ({
      path,
      rows: parquet.rows,
      bytes: parquet.file.byteLength,
      footerSha256,
      ...recordedSpanOf(parquet, sources[i]![recordedAt], slots[recordedAt]?.type),
      partition: partitions.indexOf(partitionOf[i]!),
      sources: sources[i]!,
    }),
  )
  return { files, partitions }
}

/** @param moments Known-at and as-of, here still in the log's unit. */
function timelineOf(log: AnyLog, moments: Omit<Timeline, 'step' | 'maxClockSkew'>): Timeline {
  const { knownAt, asOf } = moments
  const step = nanosecondsIn[log.timeUnit as TimeUnit]
  return {
    ...moments,
    knownAt: knownAt === null ? null : knownAt * step,
    asOf: asOf === null ? null : asOf * step,
    step,
    maxClockSkew: idleSteps(log.maxClockSkew, log.timeUnit),
  }
}

/** Earlier than any moment: of a partition that has no bound, nothing counts. */
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

/** How the keys of a group are spread, by the rows of the logs it folds. */
export function bucketsFor(rows: number): Pick<LogPlan, 'bucketBits' | 'reduceBits'> {
  const bucketBits = Math.min(BUCKET_BITS_MAX, bitsFor(rows / BUCKET_ROWS))
  return { bucketBits, reduceBits: Math.min(bucketBits, Math.max(4, bucketBits - 3)) }
}

/** Bits that number `count` things. */
function bitsFor(count: number): number {
  return count <= 1 ? 0 : Math.ceil(Math.log2(count))
}

function filesOf(log: AnyLog, { inputs, rows, files }: PlanInput): readonly string[] {
  return log.view === undefined
    ? listFiles(log.name, inputs?.[log.name] ?? log.files, files)
    : rows!.get(log.view.name)!
}

/** A moment given as an option as it is published; null where it isn't given. */
function momentText({ timeUnit: unit, zone }: AnyLog, text: string | undefined, option: string): string | null {
  return text === undefined ? null : formatMoment(parseMoment(text, { unit, zone, option }), unit)
}

/** A moment given as an option, in the log's unit; null where it isn't given, or the rows of a view were made by it. */
function momentOption(
  log: AnyLog,
  slot: number,
  role: string,
  option: string,
  text: string | undefined,
): bigint | null {
  if (text === undefined || log.view !== undefined) return null
  if (slot < 0)
    throw new ConfigurationError(
      `${option}: log ${log.name} has no ${role} column, so it isn't known which events to keep. Declare columns.${role}.`,
    )
  return parseMoment(text, { unit: log.timeUnit, zone: log.zone, option })
}
