/** `inspect --lateness`: what several thresholds of lateness would mean. */
import type { LoadedJob } from '../job/load.ts'
import { ConfigurationError, describePlace } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import { disk } from '../storage/disk.ts'
import { type Duration, exactMilliseconds, formatDuration, formatElapsed, parseDuration } from '../time/duration.ts'
import { planTrace } from '../trace/plan-trace.ts'
import { formatCount, formatCounted, formatPercent } from './numbers.ts'
import { type LatenessSubject, type LatenessSurvey, surveyLateness } from './survey-lateness.ts'
import { renderTable } from './table.ts'

const thresholdsDefault = '1 day, 2 days, 3 days, 7 days, 14 days, 30 days'

/** `1 day, 7 days`; the default where the text is empty. */
export function parseThresholds(text: string): Duration[] {
  const texts = (text === '' ? thresholdsDefault : text).split(',')
  const thresholds = texts.map((one) => parseDuration(one.trim(), '--lateness'))
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

/** Surveys the logs of a job that say when events occurred and when they were recorded. */
export function surveyJobLateness(
  job: LoadedJob,
  logs: readonly LogPlan[],
  thresholds: readonly Duration[],
): LogLateness[] {
  const dated = logs.filter(({ roles }) => roles.occurredAt >= 0 && roles.recordedAt >= 0)
  if (dated.length === 0) {
    const names = logs.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `--lateness: expected a log with columns for occurredAt and recordedAt, found ${names}, which lack${logs.length === 1 ? 's' : ''} one of them. Declare both to see how late events are.`,
    )
  }
  return dated.map((log) => {
    const views = job.definition.views.filter((view) => view.log.name === log.name)
    const subjects = subjectsOf(job, log, views, thresholds)
    return { log: log.name, surveys: openInTurn(disk, (open) => surveyLateness(log, subjects, log.silentAfter, open)) }
  })
}

function subjectsOf(
  job: LoadedJob,
  log: LogPlan,
  views: readonly ViewDefinition[],
  thresholds: readonly Duration[],
): LatenessSubject[] {
  const countsRepeated = log.identify.by !== 'nothing'
  const upcasts = views.some((view) => Object.keys(view.log.upcast).length > 0)
  const windowed = views.flatMap(({ name, on, window, filter, by }): LatenessSubject[] => {
    if (window === undefined) return []
    const { every, zone, maxLateness } = window
    const own = parseDuration(maxLateness, 'maxLateness')
    const known = thresholds.some((threshold) => formatDuration(threshold) === formatDuration(own))
    return [
      {
        view: name,
        types: on['*'] === undefined ? new Set(Object.keys(on)) : null,
        window: { every, zone },
        thresholds: known ? thresholds : [...thresholds, own].sort(byLength),
        maxLateness: formatDuration(own),
        trace: upcasts || filter !== undefined || by !== undefined ? planTrace(job, { view: name }, disk) : null,
        countsRepeated,
      },
    ]
  })
  const whole = { view: null, types: null, window: null, thresholds, maxLateness: null }
  return windowed.length > 0 ? windowed : [{ ...whole, trace: null, countsRepeated }]
}

/** For people. */
export function describeLateness(logs: readonly LogLateness[], width?: number): string {
  return logs.flatMap(({ log, surveys }) => surveys.map((survey) => describeSurvey(log, survey, width))).join('\n')
}

function describeSurvey(log: string, survey: LatenessSurvey, width?: number): string {
  const { view, every, zone, maxLateness, thresholds, events, early, countsRepeated } = survey
  const title =
    view === null
      ? `lateness in ${log}: ${formatCounted(events, 'event')}, counted from when each occurred, as no view has windows`
      : `lateness in ${view}: ${formatCounted(events, 'event')} of ${log}, counted from the end of windows (every ${every}, ${zone})`
  const hasWindows = thresholds.some(({ provisional }) => provisional !== null)
  const right = 'right' as const
  const table = renderTable(
    [
      { header: 'tolerated', align: right },
      { header: 'late events', align: right },
      { header: 'share', align: right },
      ...(hasWindows
        ? [
            { header: 'final after', align: right },
            { header: 'at most', align: right },
            { header: 'windows', align: right },
          ]
        : []),
      { header: '' },
    ],
    thresholds.map(({ threshold, late, share, provisional }) => [
      threshold,
      formatCount(late),
      share === null ? '' : formatPercent(share),
      ...(hasWindows
        ? provisional === null
          ? ['', '', '0']
          : [
              formatElapsed(provisional.median, survey.unit),
              formatElapsed(provisional.longest, survey.unit),
              formatCount(provisional.windows),
            ]
        : []),
      threshold === maxLateness ? 'as it is now' : '',
    ]),
    width,
  )
  return `${title}\n${table}${describeEarly(early)}${countsRepeated ? 'repeated events, if any, count each time\n' : ''}`
}

function describeEarly({ events, first }: LatenessSurvey['early']): string {
  if (first === null) return 'no event was recorded before it occurred\n'
  const verb = events === 1 ? 'was recorded before it' : 'were recorded before they'
  return `${formatCounted(events, 'event')} ${verb} occurred, the first at ${describePlace(first)}\n`
}
