import type { OrderTerm } from '../model/order.ts'
import type { FoldedLog, GroupPlan, LogPlan, MergedPlan } from '../model/plan.ts'
import { describeChangedInputs } from '../plan/input-changes.ts'
import type { RebuildPlan } from '../plan/plan-rebuild.ts'
import { LogClock } from '../time/clock-skew.ts'
import { formatElapsed } from '../time/duration.ts'
import { formatBytes, formatCount, formatCounted } from './numbers.ts'
import { renderTable } from './table.ts'

/** A plan for people. The whole of it is what `--json` prints. */
export function describePlan({ logs, merged, later, changedInputs }: RebuildPlan, width?: number): string {
  const changes = changedInputs.map((changed) => {
    const then =
      changed.loss === null
        ? 'They count as rewritten: no rows were lost.'
        : 'A rebuild fails, unless --allow-missing-inputs says that this is intended.'
    return `${describeChangedInputs(changed)} ${then}\n`
  })
  const rows = later.map(({ view, of }) => `view ${view} is made of the rows of view ${of}, once these are built\n`)
  const layers = rows.length === 0 ? [] : [rows.join('')]
  const described = [...logs.map((log) => describeLog(log, width)), ...merged.map((one) => describeMerged(one, width))]
  return [...described, ...layers, ...changes].join('\n')
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
  const own = log.groups.filter(({ share }) => share === null)
  if (own.some((group) => group.strategy === 'in-place')) {
    facts.push(['in place', `${formatCounted(log.mapTasks.length, 'partition')}, each with all events of its keys`])
  }
  if (own.some((group) => group.strategy === 'shuffle')) facts.push(shuffleFact(log))
  const described = own.length === 0 ? '' : `\n${describeGroups(own, names, width)}`
  return `log ${log.name}\n${describeFacts(facts)}${described}`
}

/** A view of several logs, where their events meet. */
function describeMerged({ log, group }: MergedPlan, width?: number): string {
  const names = (slots: readonly number[]): string => slots.map((slot) => slotName(log, slot)).join(', ')
  const facts = group.strategy === 'shuffle' ? [shuffleFact(log)] : []
  return `logs ${log.name} together\n${describeFacts(facts)}\n${describeGroups([group], names, width)}`
}

/** What only one of the logs has is named with it. */
function slotName({ slots, sources }: FoldedLog, slot: number): string {
  const owners = sources!.filter(({ visible }) => visible.includes(slot))
  const [owner] = owners
  return owners.length === 1 ? `${owner!.name}.${slots[slot]!.name}` : slots[slot]!.name
}

function shuffleFact({ bucketBits, reduceBits }: FoldedLog): readonly [string, string] {
  return [
    'shuffle',
    `over ${formatCounted(2 ** bucketBits, 'bucket')}, reduced in ${formatCounted(2 ** reduceBits, 'task')}`,
  ]
}

function describeFacts(facts: readonly (readonly [string, string])[]): string {
  const label = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, fact]) => `  ${name.padEnd(label)}  ${fact}\n`).join('')
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
