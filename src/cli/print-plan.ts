import type { OrderTerm } from '../model/order.ts'
import type { GroupPlan, LogPlan } from '../model/plan.ts'
import { describeChangedInputs } from '../plan/input-changes.ts'
import type { RebuildPlan } from '../plan/plan-rebuild.ts'
import { LogClock } from '../time/clock-skew.ts'
import { formatElapsed } from '../time/duration.ts'
import { formatBytes, formatCount, formatCounted } from './numbers.ts'
import { renderTable } from './table.ts'

/** A plan for people. The whole of it is what `--json` prints. */
export function describePlan({ logs, later, changedInputs }: RebuildPlan, width?: number): string {
  const changes = changedInputs.map((changed) => {
    const then =
      changed.loss === null
        ? 'They count as rewritten: no rows were lost.'
        : 'A rebuild fails, unless --allow-missing-inputs says that this is intended.'
    return `${describeChangedInputs(changed)} ${then}\n`
  })
  const rows = later.map(({ view, of }) => `view ${view} is made of the rows of view ${of}, once these are built\n`)
  const layers = rows.length === 0 ? [] : [rows.join('')]
  return [...logs.map((log) => describeLog(log, width)), ...layers, ...changes].join('\n')
}

function describeLog(log: LogPlan, width?: number): string {
  const rowGroups = log.splits.flatMap((split) => split.rowGroups)
  const skipped = rowGroups.filter((rowGroup) => rowGroup.skipped)
  const names = (slots: readonly number[]): string => slots.map((slot) => log.slots[slot]?.name ?? '?').join(', ')
  const facts: (readonly [string, string])[] = [
    ['read', `${formatCounted(log.files.length, 'file')}, ${formatCount(log.rows)} rows, ${formatBytes(log.bytes)}`],
    ['split', `into ${formatCounted(log.mapTasks.length, 'task')} of ${formatCounted(rowGroups.length, 'row group')}`],
  ]
  if (skipped.length > 0) {
    const rows = skipped.reduce((sum, rowGroup) => sum + rowGroup.rows, 0)
    facts.push([
      'skip',
      `${formatCounted(skipped.length, 'row group')} of ${formatCount(rows)} rows, by their statistics`,
    ])
  }
  const ahead = describeAhead(log)
  if (ahead !== null) facts.push(['clock', ahead])
  facts.push([
    'duplicates',
    log.identify.by === 'nothing'
      ? 'not looked for: the log declares its ids unique'
      : `found by ${names(log.roles.id)} (${log.identify.by})`,
  ])
  if (log.groups.some((group) => group.strategy === 'in-place')) {
    facts.push(['in place', `${formatCounted(log.mapTasks.length, 'partition')}, each with all events of its keys`])
  }
  if (log.groups.some((group) => group.strategy === 'shuffle')) {
    facts.push([
      'shuffle',
      `over ${formatCounted(2 ** log.bucketBits, 'bucket')}, reduced in ${formatCounted(2 ** log.reduceBits, 'task')}`,
    ])
  }
  const label = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(([name, fact]) => `  ${name.padEnd(label)}  ${fact}\n`).join('')
  return `log ${log.name}\n${lines}\n${describeGroups(log.groups, names, width)}`
}

/** Row groups whose statistics show nothing but events of clocks that are ahead: a rebuild looks at the others too, and names events. */
function describeAhead(log: LogPlan): string | null {
  const rowGroups = log.splits.flatMap(({ file, rowGroups }) => rowGroups.map((rowGroup) => ({ file, ...rowGroup })))
  const shown = rowGroups.flatMap(({ file, index, recorded }) =>
    recorded === null || recorded === 'unread' ? [] : [{ ...recorded, partition: 0, file, index }],
  )
  const clock = new LogClock(log.maxClockSkew)
  clock.add(shown)
  const first = shown.find(({ min }) => clock.end !== null && min > clock.end)
  if (first === undefined) return null
  const since = formatElapsed(first.min - clock.end!, log.timeUnit)
  return `${formatCounted(clock.ahead, 'event')} ${since} after all before, as by a clock that is ahead, the first in ${log.files[first.file]!.path}, row group ${first.index}`
}

function describeGroups(
  groups: readonly GroupPlan[],
  names: (slots: readonly number[]) => string,
  width?: number,
): string {
  const rows = groups.flatMap((group) =>
    group.views.map((view) => [
      view,
      group.strategy,
      describeOrder(group.order, names),
      names([...new Set([...group.mapSlots, ...group.slots])]),
      group.reason,
    ]),
  )
  const columns = ['view', 'strategy', 'fold', 'reads', 'because'].map((header) => ({ header }))
  return renderTable(columns, rows, width)
}

function describeOrder(order: readonly OrderTerm[], names: (slots: readonly number[]) => string): string {
  if (order.length === 0) return 'any order'
  return `by ${order.map((term) => (term.by === 'slot' ? names([term.slot]) : 'type')).join(', ')}`
}
