import type { KeyEvent, KeyTrace } from '../index.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { formatCount, formatCounted } from './numbers.ts'
import { parseCount } from './options.ts'
import type { Output } from './output.ts'
import { describeEvents, describeKeyRows } from './print-trace.ts'
import { inputOption, momentOptions, parseInputs } from './rebuild-options.ts'
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
      describe: `Maximum number of events, the latest. Default: ${tableEventsDefault} in a table, else all`,
    },
    ...inputOption,
    ...outOption,
  },
  examples: [
    ['balances A-1017', 'how the account got its balance'],
    ['balances A-1017 --known-at 2021-05-22', 'the same as it was known that day'],
    ['daily 2021-05-22 Deposited --job jobs/ledger.ts', 'of a view that was not built yet'],
    ['balances A-1017 --json', 'all of it, for a program'],
  ],
  async run(given, { output }) {
    const [view, ...texts] = given.values as [string, ...string[]]
    const limit = limitOf(given.limit, given.json)
    const path = jobOf(given, view)
    const [{ traceKey }, { showProgress }] = await Promise.all([import('../index.ts'), import('./progress.ts')])
    const { knownAt, asOf, input } = given
    const progress = showProgress(process.stderr, process.stdout, given.quiet)
    const traced = await withJob(path, (job) =>
      traceKey(job, {
        ...{ view, key: texts, statesMax: limit },
        ...(knownAt !== undefined && { knownAt }),
        ...(asOf !== undefined && { asOf }),
        ...(input !== undefined && { inputs: parseInputs(input) }),
        onProgress: (now) => progress.update(now),
      }),
    ).finally(progress.finish)
    if (given.json) await output.result(toJson(traceForMachines(traced, limit)))
    else await printTrace(traced, limit, output)
    if (traced.events.length === 0) {
      output.note(`No event of log ${traced.log} is of ${texts.join(' ')} in view ${view}${laterText(traced)}.`)
      return ExitCode.failed
    }
    if (knownAt === undefined && asOf === undefined && input === undefined) {
      const { generationThatDiffers, momentsOfCurrent } = await import('../read/published-rows.ts')
      const moments = momentsOfCurrent(given.out, view)
      if (moments !== undefined) output.note(`${moments}; this reads everything.`)
      const other = generationThatDiffers(given.out, view, texts, traced.rows)
      if (other !== undefined) output.note(differenceText(other))
    }
    return ExitCode.done
  },
})

function differenceText(generation: string): string {
  return `Generation ${generation} has other rows of this key: the log or the job changed since it was built. refold rebuild publishes these.`
}

async function printTrace(traced: KeyTrace, limit: number, output: Output): Promise<void> {
  const { events, rows } = traced
  if (events.length === 0) return
  const shown = events.slice(Math.max(0, events.length - limit))
  await output.result(describeEvents(traced, shown, output.width))
  if (rows.length > 0) {
    await output.result(`\n${traced.view}\n`)
    await output.result(describeKeyRows(traced, output.width))
  }
  const hidden = events.length - shown.length
  if (hidden > 0) output.note(`${formatCounted(hidden, 'earlier event')}; --limit ${events.length} shows all.`)
  const { read, skipped } = traced.rowGroups
  const skipping = skipped === 0 ? '' : `, ${formatCount(skipped)} skipped by their statistics`
  output.note(`${describeOutcomes(events)}${laterText(traced)}. ${formatCounted(read, 'row group')} read${skipping}.`)
}

/** `5 events: 4 applied, 1 duplicate` */
function describeOutcomes(events: readonly KeyEvent[]): string {
  const counts = Map.groupBy(events, ({ outcome }) => outcome)
  const each = [...counts].map(([outcome, { length }]) => `${formatCount(length)} ${outcome}`)
  const late = counts.get('applied')?.filter(({ reason }) => reason !== null).length ?? 0
  if (late > 0) each.push(`${formatCount(late)} of the applied late`)
  return `${formatCounted(events.length, 'event')}: ${each.join(', ')}`
}

function laterText({ outside }: KeyTrace): string {
  return outside === 0 ? '' : `; ${formatCount(outside)} more beyond --known-at or --as-of`
}

function traceForMachines({ view, events, rows, outside, rowGroups }: KeyTrace, limit: number): object {
  const shown = events.slice(Math.max(0, events.length - limit))
  return { view, events: shown, rows, total: events.length, outside, rowGroups }
}

function limitOf(text: string | undefined, json: boolean): number {
  if (text !== undefined) return parseCount('limit', text, 0, Number.MAX_SAFE_INTEGER)
  return json ? Number.POSITIVE_INFINITY : tableEventsDefault
}
