/**
 * Shows what Refold does: with the ledger of a bank, with the orders and payments of a shop, which are folded together, with figures
 * that were corrected after they were announced, and with the history of this repository, whose folded files are compared with
 * those that git itself lists.
 */
import { existsSync } from 'node:fs'
import { parseArgs, styleText } from 'node:util'
// As `import … from 'refold'` in a project of its own: nothing else of Refold is used here.
import {
  type KeyEvent,
  loadJob,
  openView,
  type Progress,
  type RebuildOptions,
  type RebuildReport,
  RefoldError,
  type Row,
  rebuild,
  traceKey,
  type View,
  type ViewReport,
} from '../src/index.ts'
import { queryView } from './demo/rows.ts'
import { type Day, drawSeries, listChanges } from './demo/series.ts'
import { type Column, formatCount, formatCounted, formatSeconds, formatShort, renderTable } from './demo/text.ts'
import { generateLedger } from './generate.ts'
import { type GitLogReport, readTree, writeGitLog } from './git-log.ts'

const ledgerFolder = 'data/generated/ledger'
const gitFolder = 'data/generated/git'
const out = 'views'

const heading = (text: string) => console.log(`\n${styleText('bold', text)}`)
const say = (text: string) => console.log(text)
const money = (cents: unknown) => (Number(cents) / 100).toLocaleString('en', { minimumFractionDigits: 2 })
const day = (value: unknown) => (value as Date).toISOString().slice(0, 10)

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { events: { type: 'string' }, help: { type: 'boolean', default: false } } })
  if (values.help) return say('npm run demo [-- --events 1000000]')
  await showBank(values.events === undefined ? undefined : Number(values.events))
  await showShop()
  await showBacklog()
  await showHistory()
}

async function showBank(events: number | undefined): Promise<void> {
  heading('A bank: five views of one ledger')
  await makeLedger(events)
  const report = await rebuildJob('jobs/bank.ts')
  describe(report)
  const view = viewsOf(report)

  heading('balances: what the largest accounts hold')
  const balances = await queryView(view('balances'), 'select * from view order by balance desc, account_id limit 4')
  show(balances, { account_id: String, balance: money, entries: count, lastAt: moment })

  heading('finance: where most money came in')
  const finance = await queryView(view('finance'), 'select * from view order by net desc, branch, month limit 4')
  show(finance, {
    month: (value) => day(value).slice(0, 7),
    branch: String,
    deposits: money,
    withdrawals: money,
    net: money,
  })

  heading('operations: the busiest day')
  const busiest = '(select day from view group by day order by sum(count) desc, day limit 1)'
  const operations = await queryView(view('operations'), `select * from view where day = ${busiest} order by type`)
  show(operations, { day, type: String, count, total: money, largest: money })

  heading('audit: who tried most to take more than there was')
  const audit = await queryView(view('audit'), 'select * from view order by rejected desc, account_id limit 4')
  show(audit, { account_id: String, balance: money, lowest: money, rejected: count, rejectedAmount: money })

  heading('notifications: what should be sent, as rows; a rebuild sends nothing')
  const kinds = 'row_number() over (partition by kind order by "occurredAt" desc, account_id) = 1'
  const notices = await queryView(view('notifications'), `select * from view qualify ${kinds} order by kind`)
  show(notices, { account_id: String, kind: String, occurredAt: moment, text: String })
}

async function makeLedger(events: number | undefined): Promise<void> {
  if (events === undefined && existsSync(ledgerFolder)) return say(`The ledger in ${ledgerFolder} is used as it is.`)
  const wanted = events ?? 1_000_000
  const accounts = Math.max(1, Math.floor(wanted / 10))
  const made = await generateLedger({ out: ledgerFolder, events: wanted, accounts, force: true })
  const { rows, files, bytes, seconds } = made
  say(
    `${formatCounted(made.events, 'event')} in ${formatCount(rows)} rows and ${formatCounted(files.length, 'file')}, ` +
      `${formatShort(bytes, 'B')}, invented in ${formatSeconds(seconds)}`,
  )
}

async function showShop(): Promise<void> {
  heading('A shop: one view of two logs, its orders and its payments, and a view of that view')
  const report = await rebuildJob('jobs/shop.ts')
  describe(report)
  show(await queryView(viewsOf(report)('status-totals'), 'select * from view'), {
    status: String,
    orders: count,
    total: money,
    outstanding: money,
  })

  heading('The passbook of one order: events of both logs, as they were recorded')
  const job = await loadJob('jobs/shop.ts')
  try {
    const { events } = await traceKey(job, { view: 'order-status', key: ['O-1016'] })
    show(events.map(passbookRow), {
      log: String,
      event: String,
      recorded: String,
      status: String,
      paid: String,
      outcome: String,
    })
  } finally {
    job.dispose()
  }
}

/** An event of an order, and what it changed of the order's state. */
function passbookRow({ log, event, recordedAt, before, after, outcome }: KeyEvent): Row {
  const change = (name: string, format: (value: unknown) => string) => {
    if (before === null || after === null) return ''
    const [old, now] = [format(before[name]), format(after[name])]
    return old === now ? now : `${old} → ${now}`
  }
  const recorded = String(recordedAt).slice(0, 16).replace('T', ' ')
  return { log, event, recorded, status: change('status', String), paid: change('paid', money), outcome }
}

async function showBacklog(): Promise<void> {
  heading('Taiwan, May 2021: daily cases that kept growing after they were announced')
  const report = await rebuildJob('jobs/taiwan-backlog.ts', { vintages: 'day' })
  const view = viewsOf(report)
  say(drawSeries(await readDays(view('daily-cases')), 50))
  say('█ as first announced   ▒ added by later reports   · still to be expected, of days that may change (~)')

  const vintages = await openReported(view('daily-cases-vintages'))
  const changes: { at: string; figure: number }[] = []
  for await (const row of vintages.rows({ columns: ['knownAt', 'day', 'cases'] })) {
    if (row.day === '2021-05-17') changes.push({ at: String(row.knownAt).slice(5), figure: Number(row.cases) })
  }
  say(`\nThe cases of 17 May, each time they changed: ${listChanges(changes)}.`)
  describe(report)
}

/** The days from 11 May on, each with what is still expected of it. */
async function readDays(view: ViewReport): Promise<Day[]> {
  const days: Day[] = []
  const opened = await openReported(view)
  for await (const { day, firstReported, cases, estimate, status } of opened.rows({ tier: 'live' })) {
    if (String(day) < '2021-05-11') continue
    const latest = Number(cases)
    const expected = status === 'final' ? null : Number(estimate ?? latest)
    days.push({ day: String(day), first: Number(firstReported), latest, expected })
  }
  return days
}

async function showHistory(): Promise<void> {
  heading('This repository: its files, folded from its history')
  const log = await writeGitLog({ repo: '.', out: gitFolder, force: true }).catch((error: unknown) => {
    if (!(error instanceof RefoldError)) throw error
    say(`There is no history to fold here. ${error.message}`)
  })
  if (log === undefined) return
  say(`${formatCounted(log.commits, 'commit')}, ${formatCounted(log.events, 'file event')}`)
  if (log.shallow) say('The clone is shallow: its oldest commit includes all that came before.')
  const report = await rebuildJob('jobs/git-history.ts')
  describe(report)
  await compareTrees(viewsOf(report)('tree'), log)
}

/** Exit code 1 where the folded files and those that git lists are not the same. */
async function compareTrees(view: ViewReport, { head }: GitLogReport): Promise<void> {
  const listed = await readTree('.', head)
  const folded = new Map<string, Row>()
  const opened = await openReported(view)
  for await (const row of opened.rows()) folded.set(String(row.path), row)
  const differs = (path: string) =>
    folded.get(path)?.mode !== listed.get(path)?.mode || folded.get(path)?.blob !== listed.get(path)?.blob
  const different = [...new Set([...listed.keys(), ...folded.keys()])].filter(differs)
  if (different.length === 0)
    return say(`equal to git ls-tree ${head.slice(0, 12)}: ${formatCounted(listed.size, 'file')}`)
  console.error(
    `Not equal to git ls-tree ${head}: ${formatCounted(different.length, 'file')}, as ${different.slice(0, 5).join(', ')}`,
  )
  process.exitCode = 1
}

async function rebuildJob(path: string, options: Partial<RebuildOptions> = {}): Promise<RebuildReport> {
  const job = await loadJob(path)
  try {
    return await rebuild(job, { ...options, out, onProgress: showProgress })
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
    job.dispose()
  }
}

function showProgress({ stage, done, total, unit }: Progress): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r${stage}: ${formatCount(done)} of ${formatCount(total)} ${unit}\u001b[K`)
}

function openReported({ view, generation }: ViewReport): Promise<View> {
  return openView(out, view, { generation })
}

function viewsOf(report: RebuildReport): (name: string) => ViewReport {
  return (name) => {
    const found = report.views.find(({ view }) => view === name)
    if (found === undefined) throw new Error(`the job ${report.job} has no view ${name}`)
    return found
  }
}

/** Rows, books and speed of a rebuild. */
function describe({ views, events, seconds }: RebuildReport): void {
  const rows = views.map(({ view, rows, counters, bytes }) => ({ view, rows, ...counters, size: bytes }))
  show(rows, {
    view: String,
    rows: count,
    size: (bytes) => formatShort(Number(bytes), 'B'),
    read: count,
    applied: count,
    duplicate: count,
  })
  say(`${formatCounted(events, 'event')} in ${formatSeconds(seconds)}: ${formatShort(events / seconds)} events/s`)
}

/** Aligned columns; those that are numbers to the right. */
function show(rows: readonly Row[], columns: Readonly<Record<string, (value: unknown) => string>>): void {
  const numeric = [money, count]
  const headers = Object.entries(columns).map(([header, format]): Column => {
    return { header, align: numeric.includes(format) || header === 'size' ? 'right' : 'left' }
  })
  const cells = rows.map((row) => Object.entries(columns).map(([name, format]) => format(row[name])))
  process.stdout.write(renderTable(headers, cells))
}

function count(value: unknown): string {
  return formatCount(Number(value))
}

function moment(value: unknown): string {
  return (value as Date).toISOString().slice(0, 16).replace('T', ' ')
}

await main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  const isExpected = isUsage || error instanceof RefoldError
  if (!isExpected) throw error
  console.error(error.message)
  process.exitCode = error instanceof RefoldError ? error.exitCode : 2
})
