/** `inspect --lateness` for people. */
import type { LogLateness } from '../inspect/lateness.ts'
import type { LatenessSurvey } from '../inspect/survey-lateness.ts'
import { describePlace } from '../model/errors.ts'
import { formatElapsed } from '../time/duration.ts'
import { formatCount, formatCounted, formatPercent } from './numbers.ts'
import { renderTable } from './table.ts'

export function describeLateness(logs: readonly LogLateness[], width?: number): string {
  return logs.flatMap(({ log, surveys }) => surveys.map((survey) => describeSurvey(log, survey, width))).join('\n')
}

function describeSurvey(log: string, survey: LatenessSurvey, width?: number): string {
  const { view, every, zone, allowedLateness, thresholds, events, early, countsRepeated } = survey
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
      threshold === allowedLateness ? 'as it is now' : '',
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
