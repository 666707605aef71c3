/** What several thresholds of lateness would mean for a job's logs. */

import { planRebuild } from '../engine.ts'
import type { LoadedJob } from '../job/load.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import { type LogView, sharesOf } from '../model/view.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import { disk } from '../storage/disk.ts'
import { type Duration, exactMilliseconds, formatDuration, parseDuration } from '../time/duration.ts'
import { planTrace, type TracePlan, type TraceShare } from '../trace/plan-trace.ts'
import { type LatenessSubject, type LatenessSurvey, surveyLateness } from './survey-lateness.ts'

const thresholdsDefault = ['1 day', '2 days', '3 days', '7 days', '14 days', '30 days']

/**
 * Durations as `1 day`, in order and each once.
 *
 * @param option What they are given as, for messages.
 * @throws ConfigurationError
 */
export function parseThresholds(texts: readonly string[] = thresholdsDefault, option: string): Duration[] {
  const thresholds = texts.map((one) => parseDuration(one.trim(), option))
  return [...new Map(thresholds.map((one) => [formatDuration(one), one])).values()].sort(byLength)
}

/** Months have no exact length; for the order of a list any of theirs will do. */
function byLength(a: Duration, b: Duration): number {
  const length = (duration: Duration) =>
    exactMilliseconds(duration) ??
    exactMilliseconds({ count: duration.count * (duration.unit === 'year' ? 365 : 30), unit: 'day' })!
  return length(a) - length(b)
}

export interface LogLateness {
  readonly log: string
  readonly surveys: readonly LatenessSurvey[]
}

/**
 * Surveys the logs of a job that say when events occurred and when they were recorded.
 *
 * @param option What asks for it, for messages.
 * @throws ConfigurationError where no log says both.
 */
export async function surveyJobLateness(
  job: LoadedJob,
  thresholds: readonly Duration[],
  option: string,
): Promise<LogLateness[]> {
  const { logs } = await planRebuild(job, { out: '', workers: 0 })
  const dated = logs.filter(({ roles }) => roles.occurredAt >= 0 && roles.recordedAt >= 0)
  if (dated.length === 0) {
    const names = logs.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `${option}: expected a log with columns for occurredAt and recordedAt, found ${names}, which lack${logs.length === 1 ? 's' : ''} one of them. Declare both to see how late events are.`,
    )
  }
  return dated.map((log) => {
    const views = job.definition.views.flatMap(sharesOf).filter((view) => view.log.name === log.name)
    const subjects = subjectsOf(job, log, views, thresholds)
    return { log: log.name, surveys: openInTurn(disk, (open) => surveyLateness(log, subjects, log.idleTimeout, open)) }
  })
}

function subjectsOf(
  job: LoadedJob,
  log: LogPlan,
  views: readonly LogView[],
  thresholds: readonly Duration[],
): LatenessSubject[] {
  const countsRepeated = log.identify.by !== 'nothing'
  const upcasts = views.some((view) => Object.keys(view.log.upcast).length > 0)
  const windowed = views.flatMap(({ name, on, window, filter, keyBy }): LatenessSubject[] => {
    if (window === undefined) return []
    const { every, zone, allowedLateness } = window
    const own = parseDuration(allowedLateness, 'allowedLateness')
    const known = thresholds.some((threshold) => formatDuration(threshold) === formatDuration(own))
    return [
      {
        view: name,
        types: on['*'] === undefined ? new Set(Object.keys(on)) : null,
        window: { every, zone },
        thresholds: known ? thresholds : [...thresholds, own].sort(byLength),
        allowedLateness: formatDuration(own),
        trace:
          upcasts || filter !== undefined || keyBy !== undefined
            ? shareOf(planTrace(job, { view: name }, disk), log)
            : null,
        countsRepeated,
      },
    ]
  })
  const whole = { view: null, types: null, window: null, thresholds, allowedLateness: null }
  return windowed.length > 0 ? windowed : [{ ...whole, trace: null, countsRepeated }]
}

/** A view as the log sees it. */
function shareOf({ shares }: TracePlan, { name }: LogPlan): TraceShare {
  return shares.find(({ log }) => log.name === name)!
}
