import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ConfigurationError,
  ConflictError,
  defineJob,
  defineLog,
  defineView,
  int64,
  string,
  timestamp,
  traceKey,
  ViewError,
} from '../../src/index.ts'
import { surveyJob } from '../../src/inspect/survey-job.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Row, readFile, readPublished, scratch, writeRows } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('merged')
})
afterEach(() => folder.remove())

const day = 86_400_000_000
const fields = {
  id: string(),
  order_id: string(),
  type: string(),
  happened: timestamp(),
  recorded: timestamp(),
  amount: int64(),
}

/** An event that happened and was recorded on days since 1970. */
function event(id: string, order: string, type: string, days: number | readonly [number, number], amount = 1): Row {
  const [happened, recorded] = typeof days === 'number' ? [days, days] : days
  return { id, order_id: order, type, happened: happened * day, recorded: recorded * day, amount }
}

const write = (log: string, rows: readonly Row[], file = '0') =>
  writeRows(join(folder.path, log, `${file}.parquet`), fields, rows)

function log(name: string, more: object = {}) {
  return defineLog({
    name,
    files: join(folder.path, name, '*.parquet'),
    columns: { id: 'id', key: 'order_id', type: 'type', occurredAt: 'happened', recordedAt: 'recorded' },
    fields: { amount: int64() },
    ...more,
  })
}

const orders = (more?: object) => log('orders', more)
const payments = (more?: object) => log('payments', more)

interface Story {
  text: string
  sum: number
}
interface StoryEvent {
  readonly id: string
  readonly amount: number
}

const tell = (word: string) => (story: Story, e: StoryEvent) => {
  story.text += ` ${word} ${e.id}`
}

/** What each order had, as text, in the order of its events. */
function story(more: object = {}, logs: readonly unknown[] = [orders(), payments()]) {
  const spec = {
    name: 'story',
    logs,
    state: { text: string(), sum: int64() },
    on: {
      orders: { Placed: tell('placed'), Shipped: tell('shipped') },
      payments: {
        Paid: (s: Story, e: StoryEvent) => {
          if (e.amount < 0) throw new Error('no such amount')
          s.text += ` paid ${e.id}`
          s.sum += e.amount
        },
      },
    },
  }
  return defineView({ ...spec, ...more } as never)
}

const jobOf = (...views: unknown[]) => loadedFromDefinition(defineJob({ views: views as never }))
const run = (job: ReturnType<typeof jobOf>, more: Partial<RebuildOptions> = {}) =>
  rebuild(job, { out: join(folder.path, 'views'), workers: 0, ...more })

function writeBoth(): void {
  write('orders', [event('1', 'a', 'Placed', 1), event('2', 'a', 'Shipped', 3), event('3', 'b', 'Placed', 3)])
  write('payments', [event('1', 'a', 'Paid', 3, 5), event('2', 'b', 'Paid', 2, 7), event('1', 'a', 'Paid', 3, 5)])
}

describe('a view of several logs', () => {
  test('is merged by recordedAt, then by the order of its logs; equal ids of two logs are two events', async () => {
    writeBoth()
    const report = await run(jobOf(story()))
    expect(readPublished(report.views[0]!.path).rows).toEqual([
      { order_id: 'a', text: ' placed 1 shipped 2 paid 1', sum: 5 },
      { order_id: 'b', text: ' paid 2 placed 3', sum: 7 },
    ])
    const turned = await run(jobOf(story({}, [payments(), orders()])))
    expect(readPublished(turned.views[0]!.path).rows[0]).toMatchObject({ text: ' placed 1 paid 1 shipped 2' })
    expect(report.views[0]!.counters).toMatchObject({ read: 6, applied: 5, duplicate: 1 })
  })

  test('is built with views of one of its logs, which are the same bytes without it', async () => {
    writeBoth()
    const alone = defineView({ name: 'alone', log: orders(), state: { n: int64() }, on: { '*': (s) => void s.n++ } })
    const together = await run(jobOf(alone, story()))
    const apart = await run(jobOf(alone), { out: join(folder.path, 'apart') })
    expect(together.views.find(({ view }) => view === 'alone')!.digest).toBe(apart.views[0]!.digest)
    const only = await run(jobOf(alone, story()), { out: join(folder.path, 'only'), views: ['story'] })
    expect(only.views.map(({ view }) => view)).toEqual(['story'])
    expect(only.events).toBe(6)
  })

  test('names its logs in the manifest, and reads either from other files', async () => {
    writeBoth()
    const other = write('elsewhere', [event('9', 'a', 'Paid', 2, 100)])
    const report = await run(jobOf(story()), { inputs: { payments: other } })
    const { manifest, rows } = readPublished(report.views[0]!.path)
    expect(manifest.inputs.map((input) => input.log)).toEqual(['orders', 'payments'])
    expect(manifest.progress.map((entry) => entry.log)).toEqual(['orders', 'payments'])
    expect(rows[0]).toMatchObject({ text: ' placed 1 paid 9 shipped 2', sum: 100 })
    await expect(run(jobOf(story()), { inputs: { refunds: other } })).rejects.toThrow('the views read orders, payments')
  })

  test('finds conflicts within a log, and names the event of a handler that threw', async () => {
    writeBoth()
    write('payments', [event('1', 'a', 'Paid', 3, 6)], '1')
    const conflict = run(jobOf(story()))
    await expect(conflict).rejects.toThrow(ConflictError)
    await expect(conflict).rejects.toThrow('Event 1 is in log payments with different contents')
    write('payments', [event('8', 'b', 'Paid', 3, -1)], '1')
    const failing = run(jobOf(story()))
    await expect(failing).rejects.toThrow(ViewError)
    await expect(failing).rejects.toThrow(
      /View story, handler payments\.Paid, key "b", at .*payments\/1\.parquet.* event 8/,
    )
  })

  test('quarantines events of either log and says of which they are', async () => {
    writeBoth()
    write('payments', [event('8', 'b', 'Paid', 3, -1), event('9', 'b', 'Odd', 3)], '1')
    write('orders', [event('8', 'b', 'Odd', 3)], '1')
    const { views } = await run(jobOf(story({ onError: 'quarantine', unknown: 'quarantine' })))
    expect(views[0]!.counters).toMatchObject({ read: 9, applied: 5, duplicate: 1, quarantined: 3 })
    const text = { kind: 'string', nullable: false } as const
    const { manifest } = readPublished(views[0]!.path)
    const listed = manifest.exceptions.flatMap(({ name }) =>
      readFile(join(views[0]!.path, name), { reason: text, event_id: text, log: text }),
    )
    expect(listed.map((row) => `${row['reason']} ${row['log']} ${row['event_id']}`)).toEqual([
      'duplicate payments 1',
      'handler failed payments 8',
      'unknown type orders 8',
      'unknown type payments 9',
    ])
  })

  test('is known at a moment, with vintages for both logs', async () => {
    writeBoth()
    const report = await run(jobOf(story()), { vintages: 'day' })
    const { rows } = readPublished(report.views[1]!.path)
    const textsOf = (at: number) => rows.filter(({ knownAt }) => knownAt === at).map((row) => row['text'])
    expect(textsOf(1)).toEqual([' placed 1'])
    expect(textsOf(2)).toEqual([' placed 1', ' paid 2'])
    expect(textsOf(3)).toEqual([' placed 1 shipped 2 paid 1', ' paid 2 placed 3'])
    const known = await run(jobOf(story()), { out: join(folder.path, 'known'), knownAt: '1970-01-03' })
    expect(readPublished(known.views[0]!.path).rows.map((row) => row['text'])).toEqual(textsOf(2))
  })

  test.each([
    ['of strings', string(), (text: string) => text],
    ['of integers', int64(), (text: string) => text.charCodeAt(0)],
  ])("has the same keys whether they are a log's own, filtered or computed: %s", async (_, type, keyOf) => {
    const columns = { ...fields, order_id: type }
    const rows = [event('1', 'a', 'Placed', 1), event('2', 'b', 'Placed', 2), event('3', 'a', 'Shipped', 3)]
    const paid = [event('1', 'a', 'Paid', 2, 5), event('2', 'b', 'Paid', 3, 7)]
    const own = (all: readonly Row[]) => all.map((row) => ({ ...row, order_id: keyOf(row['order_id'] as string) }))
    writeRows(join(folder.path, 'orders', '0.parquet'), columns, own(rows))
    writeRows(join(folder.path, 'payments', '0.parquet'), columns, own(paid))
    const key = type.kind === 'string' ? 'order_id' : int64('order_id')
    const roles = { id: 'id', key, type: 'type', occurredAt: 'happened', recordedAt: 'recorded' }
    const logs = [log('orders', { columns: roles }), log('payments', { columns: roles })]
    const textsOf = async (more: object) => {
      const { views } = await run(jobOf(story(more, logs)))
      return readPublished(views[0]!.path).rows.map((row) => row['text'])
    }
    const expected = [' placed 1 paid 1 shipped 3', ' placed 2 paid 2']
    expect(await textsOf({})).toEqual(expected)
    expect(await textsOf({ filter: { orders: () => true } })).toEqual(expected)
    expect(await textsOf({ keyBy: { payments: (e: { key: unknown }) => ({ key: e.key }) } })).toEqual(expected)
  })

  test('refuses to be folded in place', async () => {
    writeBoth()
    const refused = run(jobOf(story()), { strategy: 'in-place' })
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow('its events come from several logs')
  })

  test('is surveyed log by log', async () => {
    writeBoth()
    const surveys = await surveyJob(jobOf(story()))
    expect(surveys.map(({ log, events }) => [log, events.events, events.duplicates])).toEqual([
      ['orders', 3, 0],
      ['payments', 3, 1],
    ])
  })

  test('has a passbook of the events of both logs', async () => {
    writeBoth()
    const traced = await traceKey(jobOf(story()), { view: 'story', key: ['a'] })
    expect(traced.log).toBe('orders and payments')
    expect(
      traced.events.map(({ log, event, outcome, after }) => [log, event, outcome, after?.['text'] ?? null]),
    ).toEqual([
      ['orders', '1', 'applied', ' placed 1'],
      ['orders', '2', 'applied', ' placed 1 shipped 2'],
      ['payments', '1', 'applied', ' placed 1 shipped 2 paid 1'],
      ['payments', '1', 'duplicate', null],
    ])
    expect(traced.rows).toEqual([{ order_id: 'a', text: ' placed 1 shipped 2 paid 1', sum: 5 }])
    expect(traced.events[2]!.place.file).toContain('payments')
  })
})

describe('windows over several logs', () => {
  const byDay = () =>
    story({
      window: {
        name: 'day',
        every: 'day',
        allowedLateness: '1 day',
        measure: { payments: (e: { amount: number }) => e.amount },
      },
    })
  const statuses = async (more?: Partial<RebuildOptions>) => {
    const report = await run(jobOf(byDay()), more)
    return readPublished(report.views[0]!.path).rows.map((row) => `${row['day']} ${row['status']}`)
  }

  test('are final when every log is known beyond them', async () => {
    write('orders', [event('1', 'a', 'Placed', 1), event('2', 'a', 'Shipped', 9)])
    write('payments', [event('1', 'a', 'Paid', 1, 5), event('2', 'a', 'Paid', 2, 5)])
    expect(await statuses()).toEqual(['1 provisional', '2 provisional', '9 provisional'])
    write('payments', [event('3', 'a', 'Paid', 8, 5)], '1')
    expect(await statuses()).toEqual(['1 final', '2 final', '8 provisional', '9 provisional'])
  })

  test('are provisional as long as a log has recorded nothing', async () => {
    write('orders', [event('1', 'a', 'Placed', 1), event('2', 'a', 'Shipped', 9)])
    write('payments', [])
    expect(await statuses()).toEqual(['1 provisional', '9 provisional'])
    expect(await statuses({ vintages: 'day', out: join(folder.path, 'vintages') })).toEqual([
      '1 provisional',
      '9 provisional',
    ])
  })

  test('list late events with their log, and add up what each log measures', async () => {
    write('orders', [event('1', 'a', 'Placed', 1), event('2', 'a', 'Shipped', [1, 9])])
    write('payments', [event('2', 'a', 'Paid', [1, 9], 5), event('3', 'a', 'Paid', 1, 4)])
    const { views } = await run(jobOf(byDay()))
    expect(views[0]!.counters).toMatchObject({ read: 4, applied: 2, late: 2 })
    const { manifest } = readPublished(views[0]!.path)
    const triangle = readFile(join(views[0]!.path, manifest.triangle[0]!.name), { events: int64(), measure: int64() })
    expect(triangle.map((row) => [row['events'], row['measure']])).toEqual([
      [2, 5],
      [2, 6],
    ])
  })

  test('say which log the event behind a correction is of', async () => {
    write('orders', [event('1', 'a', 'Placed', 1)])
    write('payments', [event('1', 'a', 'Paid', 1, 5)])
    await run(jobOf(byDay()))
    write('payments', [event('1', 'a', 'Paid', 1, 5), event('2', 'a', 'Paid', [1, 2], 7)])
    const { views } = await run(jobOf(byDay()))
    expect(views[0]!.corrections).toBe(2)
    const { manifest, rows } = readPublished(views[0]!.path)
    const text = { kind: 'string', nullable: false } as const
    const [file] = manifest.corrections
    const notices = readFile(join(views[0]!.path, file!.name), { column: text, cause: text, behind: text })
    expect(rows[0]).toMatchObject({ sum: 12 })
    for (const { cause, behind } of notices) {
      expect(cause).toContain('late data')
      expect(JSON.parse(behind as string)).toMatchObject([{ log: 'payments', id: '2' }])
    }
  })
})
