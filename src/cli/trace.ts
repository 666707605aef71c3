import type { KeyEvent, KeyTrace, KeyTraceStream, Outcome, Row } from '../index.ts'
import { writeJsonList } from '../read/json.ts'
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
    {
      name: 'key',
      describe:
        'Values of the key columns, all of them, in their order. Of texts that may be null, null is the null and "null" the word',
      several: true,
    },
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
    'whole-states': {
      type: 'boolean',
      describe: 'With --json: large properties of free-form states as well, for each event',
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
    const [{ streamTrace }, { WrittenText }, { showProgress }] = await Promise.all([
      import('../index.ts'),
      import('../read/key-text.ts'),
      import('./progress.ts'),
    ])
    const { knownAt, asOf, input } = given
    const progress = showProgress(process.stderr, process.stdout, given.quiet)
    const { traced, rows } = await withJob(path, async (job) => {
      const stream = await streamTrace(job, {
        ...{
          view,
          key: texts.map((text) => new WrittenText(text)),
          statesMax: limit,
          wholeStates: given.wholeStates === true,
        },
        ...(knownAt !== undefined && { knownAt }),
        ...(asOf !== undefined && { asOf }),
        ...(input !== undefined && { inputs: parseInputs(input) }),
        onProgress: (now) => progress.update(now),
      }).finally(progress.finish)
      const print = given.json ? printJson : printTable
      return { traced: stream, rows: await print(stream, limit, output) }
    }).finally(progress.finish)
    if (traced.count === 0) {
      output.note(`No event of log ${traced.log} is of ${texts.join(' ')} in view ${view}${laterText(traced)}.`)
      return ExitCode.failed
    }
    if (knownAt === undefined && asOf === undefined && input === undefined) {
      const { generationThatDiffers, momentsOfCurrent } = await import('../read/published-rows.ts')
      const moments = momentsOfCurrent(given.out, view)
      if (moments !== undefined) output.note(`${moments}; this reads everything.`)
      const other = generationThatDiffers(given.out, view, texts, rows)
      if (other !== undefined) output.note(differenceText(other))
    }
    return ExitCode.done
  },
})

function differenceText(generation: string): string {
  return `Generation ${generation} has other rows of this key: the log or the job changed since it was built. refold rebuild publishes these.`
}

/** Prints the events as they are folded, and what else a trace says around them. */
async function printJson(traced: KeyTraceStream, limit: number, output: Output): Promise<readonly Row[]> {
  const { view, count, outside, rowGroups } = traced
  const hidden = Math.max(0, count - limit)
  return await writeJsonList((chunk) => output.result(chunk), {
    before: { view },
    name: 'events',
    items: afterFirst(hidden, traced.events()),
    after: (rows) => ({ rows, total: count, outside, rowGroups }),
  })
}

function* afterFirst<Item, End>(skipped: number, items: Generator<Item, End>): Generator<Item, End> {
  let next = items.next()
  for (let i = 0; !next.done; i++, next = items.next()) if (i >= skipped) yield next.value
  return next.value
}

async function printTable(traced: KeyTraceStream, limit: number, output: Output): Promise<readonly Row[]> {
  const { count } = traced
  const hidden = Math.max(0, count - limit)
  const shown: KeyEvent[] = []
  const outcomes = new Outcomes()
  const events = traced.events()
  let next = events.next()
  for (let i = 0; !next.done; i++, next = events.next()) {
    outcomes.add(next.value)
    if (i >= hidden) shown.push(next.value)
  }
  const rows = next.value
  if (count === 0) return rows
  await output.result(describeEvents(traced, shown, output.width))
  if (rows.length > 0) {
    await output.result(`\n${traced.view}\n`)
    await output.result(describeKeyRows(traced, rows, output.width))
  }
  if (hidden > 0) output.note(`${formatCounted(hidden, 'earlier event')}; --limit ${count} shows all.`)
  const { read, skipped } = traced.rowGroups
  const skipping = skipped === 0 ? '' : `, ${formatCount(skipped)} skipped by their statistics`
  output.note(`${outcomes}${laterText(traced)}. ${formatCounted(read, 'row group')} read${skipping}.`)
  return rows
}

/** `5 events: 4 applied, 1 duplicate` */
class Outcomes {
  readonly #counts = new Map<Outcome, number>()
  #events = 0
  #late = 0

  add({ outcome, reason }: KeyEvent): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1)
    this.#events++
    if (outcome === 'applied' && reason !== null) this.#late++
  }

  toString(): string {
    const each = [...this.#counts].map(([outcome, count]) => `${formatCount(count)} ${outcome}`)
    if (this.#late > 0) each.push(`${formatCount(this.#late)} of the applied late`)
    return `${formatCounted(this.#events, 'event')}: ${each.join(', ')}`
  }
}

function laterText({ outside }: Pick<KeyTrace, 'outside'>): string {
  return outside === 0 ? '' : `; ${formatCount(outside)} more beyond --known-at or --as-of`
}

function limitOf(text: string | undefined, json: boolean): number {
  if (text !== undefined) return parseCount('limit', text, 0, Number.MAX_SAFE_INTEGER)
  return json ? Number.POSITIVE_INFINITY : tableEventsDefault
}
