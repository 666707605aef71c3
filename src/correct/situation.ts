import type { ComparedGeneration } from '../compare/stream.ts'
import type { Manifest, ManifestInput } from '../model/manifest.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import { readRun } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'
import { parseMoment } from '../time/moments.ts'

/** The generation that is current, and its folder below `out`. */
export interface Published {
  readonly out: string
  readonly folder: string
  readonly manifest: Manifest
}

/** The generation that is to follow it. */
export interface Built extends ComparedGeneration {
  readonly view: string
  /** In the order of their precedence. */
  readonly logs: readonly LogPlan[]
  readonly fingerprint: string
}

/** What a generation and the next one were built from, compared. */
export interface Situation {
  readonly sameLogic: boolean
  readonly sameAsOf: boolean
  readonly asOf: string | null
  readonly logs: readonly LogSituation[]
  /** Whether every file that was read then is surely there as it was. */
  readonly filesKept: boolean
  /** Whether known-at leaves out events that were known already. */
  readonly knowsLess: boolean
  /** Whether it is certain that no event became known since. */
  readonly nothingNew: boolean
}

/** The same of one of the view's logs. Moments are in its unit. */
export interface LogSituation {
  readonly log: LogPlan
  /** By partition: up to when the earlier generation knew the log. */
  readonly progress: Readonly<Record<string, bigint>>
  readonly filesKept: boolean
  /** Files that were not read then, or may have been others. */
  readonly newFiles: readonly FilePlan[]
  readonly knowsLess: boolean
  readonly nothingNew: boolean
}

export function situationOf(published: Published, { logs, fingerprint }: Built, files: Store): Situation {
  const { out, manifest } = published
  const startedAt = readRun(out, manifest.view, manifest.generation, files)?.startedAt ?? null
  const all = logs.map((log) => logSituation(manifest, log, startedAt, files))
  const [first] = logs as readonly [LogPlan]
  const asOf = first.asOf === null ? null : formatMoment(first.asOf, first.timeUnit)
  return {
    sameLogic: manifest.fingerprint === fingerprint,
    sameAsOf: manifest.options.asOf === asOf,
    asOf: manifest.options.asOf,
    logs: all,
    filesKept: all.every(({ filesKept }) => filesKept),
    knowsLess: all.some(({ knowsLess }) => knowsLess),
    nothingNew: all.every(({ nothingNew }) => nothingNew),
  }
}

function logSituation(manifest: Manifest, log: LogPlan, startedAt: string | null, files: Store): LogSituation {
  const inputs = manifest.inputs.filter((input) => input.log === log.name)
  const isSame = (input: ManifestInput, file: FilePlan) =>
    input.path === file.path &&
    input.bytes === file.bytes &&
    input.footerSha256 === file.footerSha256 &&
    isUntouchedSince(startedAt, file.path, files)
  const newFiles = log.files.filter((file) => !inputs.some((input) => isSame(input, file)))
  const filesKept = inputs.every((input) => log.files.some((file) => isSame(input, file)))
  const progress = progressOf(manifest, log)
  const { knownAt } = log
  const knewAt = momentOf(manifest.options.knownAt, log)
  return {
    log,
    progress,
    filesKept,
    newFiles,
    knowsLess: knownAt !== null && Object.values(progress).some((moment) => moment > knownAt),
    nothingNew: filesKept && newFiles.length === 0 && (knewAt === null || (knownAt !== null && knownAt <= knewAt)),
  }
}

/** Clocks of file systems may be as coarse. */
const clockMs = 2000

/**
 * Whether a file is surely what it was at a moment. A footer doesn't show it: values that lie between the same bounds leave it
 * as it was. The time of the last change can't be set back; where it is later, for whatever reason, nothing is sure.
 */
function isUntouchedSince(moment: string | null, path: string, files: Store): boolean {
  if (moment === null) return false
  const stat = files.stat(path)
  return stat !== undefined && stat.changedMs + clockMs < Date.parse(moment)
}

/**
 * Where a partition that was there is gone, the log was laid out differently: of partitions that were not, what was recorded up to
 * the newest event known counts as known.
 */
function progressOf({ progress, inputs }: Manifest, log: LogPlan): Record<string, bigint> {
  // A generation that doesn't name its logs had one.
  const own = progress.filter((entry) => (entry.log ?? inputs[0]?.log) === log.name)
  const known = new Map(own.map(({ partition, recordedAt }) => [partition, momentOf(recordedAt, log)!]))
  if ([...known.keys()].every((partition) => log.partitions.includes(partition))) return Object.fromEntries(known)
  const newest = [...known.values()].reduce((a, b) => (a > b ? a : b))
  return Object.fromEntries(log.partitions.map((partition) => [partition, known.get(partition) ?? newest]))
}

function momentOf(text: string | null, { timeUnit, zone }: LogPlan): bigint | null {
  return text === null ? null : parseMoment(text, { unit: timeUnit, zone, option: 'known-at' })
}
