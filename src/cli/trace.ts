import { ConfigurationError } from '../model/errors.ts'
import type { TracePlan } from '../trace/plan-trace.ts'
import type { Trace, TracedEvent } from '../trace/trace.ts'
import { ExitCode } from './failure.ts'
import { toJson } from './json.ts'
import { formatCount, formatCounted } from './numbers.ts'
import { parseCount } from './options.ts'
import type { Output } from './output.ts'
import { describeEvents, printedColumns, printedEvents } from './print-trace.ts'
import { withScanProgress } from './progress.ts'
import { inputOption, momentOptions, parseInputs } from './rebuild-options.ts'
import { printRows, rowObjects } from './rows.ts'
import { defineVerb, outOption } from './verb.ts'
import { jobOf, jobOption } from './view-job.ts'
import { withJob } from './with-job.ts'

const tableEventsDefault = 100

export const trace = defineVerb({
  positionals: [
    { name: 'view', describe: "The view's name" },
    { name: 'key', describe: 'Values of the key columns, all of them, in their order', several: true },
  ],
  options: {
    ...jobOption,
    ...momentOptions,
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `At most so many events, the latest. Default: ${tableEventsDefault} in a table, else all`,
    },
    ...inputOption,
    ...outOption,
  },
  examples: [
    ['balances A-1017', 'how the account came to its balance'],
    ['balances A-1017 --known-at 2021-05-22', 'the same as it was known that day'],
    ['daily 2021-05-22 Deposited --job jobs/ledger.ts', 'of a view that was not built yet'],
    ['balances A-1017 --json', 'all of it, for a program'],
  ],
  async run(given, { output }) {
    const [view, ...texts] = given.values as [string, ...string[]]
    const limit = limitOf(given.limit, given.json)
    const path = jobOf(given, view)
    const [{ planTrace }, { traceKey }, { parseKey }, { handlerValue }, { disk }] = await Promise.all([
      import('../trace/plan-trace.ts'),
      import('../trace/trace.ts'),
      import('./key-text.ts'),
      import('./find-rows.ts'),
      import('../storage/disk.ts'),
    ])
    return withJob(path, async (job) => {
      const { knownAt, asOf, input } = given
      const options = {
        view,
        ...(knownAt !== undefined && { knownAt }),
        ...(asOf !== undefined && { asOf }),
        ...(input !== undefined && { inputs: parseInputs(input) }),
      }
      const plan = planTrace(job, options, disk)
      requireWholeKey(plan, texts)
      const { codec } = plan.traced.views[0]!
      const values = parseKey({ view, key: plan.key, window: zonedColumn(plan) }, texts)
      const key = Object.fromEntries(codec.names.map((name, i) => [name, handlerValue(plan.key[i]!, values[i]!)]))
      const traced = withScanProgress(plan.log.rows, given.quiet, (onProgress) =>
        traceKey(plan, key, { statesMax: limit, onProgress }),
      )
      if (given.json) await output.result(toJson(traceForMachines(plan, traced, limit)))
      else await printTrace(plan, traced, limit, output)
      if (traced.events.length === 0) {
        output.note(`No event of log ${plan.log.name} is of ${texts.join(' ')} in view ${view}${laterText(traced)}.`)
        return ExitCode.failed
      }
      if (knownAt === undefined && asOf === undefined && input === undefined) {
        const { generationThatDiffers, momentsOfCurrent } = await import('./published-rows.ts')
        const moments = momentsOfCurrent(given.out, view)
        if (moments !== undefined) output.note(`${moments}; this reads everything.`)
        const other = generationThatDiffers(given.out, view, texts, viewRows(plan, traced))
        if (other !== undefined) output.note(differenceText(other))
      }
      return ExitCode.done
    })
  },
})

function requireWholeKey({ view, key }: TracePlan, texts: readonly string[]): void {
  if (texts.length >= key.length) return
  const names = key.map(({ name }) => name).join(', ')
  throw new ConfigurationError(
    `View ${view.name} has the key ${names}: expected ${key.length} values, found ${texts.length}.`,
  )
}

function zonedColumn({ window }: TracePlan): { column: string; zone: string } | null {
  return window === null ? null : { column: window.column, zone: window.calendar.zone }
}

function differenceText(generation: string): string {
  return `Generation ${generation} has other rows of this key: the log or the job changed since it was built. refold rebuild publishes these.`
}

/** The rows of the view that the key became. */
function viewRows(plan: TracePlan, traced: Trace): Record<string, unknown>[] {
  return traced.rows.rows === 0 ? [] : rowObjects(printedColumns(plan, traced))
}

async function printTrace(plan: TracePlan, traced: Trace, limit: number, output: Output): Promise<void> {
  const { events, rows } = traced
  if (events.length === 0) return
  const shown = events.slice(Math.max(0, events.length - limit))
  await output.result(describeEvents(plan, shown, output.width))
  if (rows.rows > 0) {
    await output.result(`\n${plan.view.name}\n`)
    await printRows(
      { total: rows.rows, batches: [printedColumns(plan, traced)] },
      'table',
      Number.POSITIVE_INFINITY,
      output,
    )
  }
  const hidden = events.length - shown.length
  if (hidden > 0) output.note(`${formatCounted(hidden, 'earlier event')}; --limit ${events.length} shows all.`)
  const { read, skipped } = traced.rowGroups
  const skipping = skipped === 0 ? '' : `, ${formatCount(skipped)} skipped by their statistics`
  output.note(`${describeOutcomes(events)}${laterText(traced)}. ${formatCounted(read, 'row group')} read${skipping}.`)
}

/** `5 events: 4 applied, 1 duplicate` */
function describeOutcomes(events: readonly TracedEvent[]): string {
  const counts = Map.groupBy(events, ({ outcome }) => outcome)
  const each = [...counts].map(([outcome, { length }]) => `${formatCount(length)} ${outcome}`)
  const late = counts.get('applied')?.filter(({ reason }) => reason !== null).length ?? 0
  if (late > 0) each.push(`${formatCount(late)} of the applied late`)
  return `${formatCounted(events.length, 'event')}: ${each.join(', ')}`
}

function laterText({ outside }: Trace): string {
  return outside === 0 ? '' : `; ${formatCount(outside)} more beyond --known-at or --as-of`
}

function traceForMachines(plan: TracePlan, traced: Trace, limit: number): object {
  const { events, outside, rowGroups } = traced
  return {
    view: plan.view.name,
    events: printedEvents(plan, events.slice(Math.max(0, events.length - limit))),
    rows: viewRows(plan, traced),
    total: events.length,
    outside,
    rowGroups,
  }
}

function limitOf(text: string | undefined, json: boolean): number {
  if (text !== undefined) return parseCount('limit', text, 0, Number.MAX_SAFE_INTEGER)
  return json ? Number.POSITIVE_INFINITY : tableEventsDefault
}
