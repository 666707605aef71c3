import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, int64, openView } from '../../src/index.ts'
import { loadedFromDefinition, loadJob } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Row, readPublished, scratch, writeLogFiles } from '../support/logs.ts'
import { mergedViews, orderColumns, paymentColumns } from '../support/merged-views.ts'
import { type Performers, rebuildBy } from '../support/rebuild-by.ts'

const folder = scratch('merged-contract')
afterAll(folder.remove)

const count = 3_000
const types = ['Created', 'Created', 'Shipped', 'Split', 'Odd']
const common = (i: number): Row => ({
  happened: (i % 50) * 1_000_000,
  recorded: ((i * 7) % 400) * 1_000_000,
  seq: i % 9,
})
const orders = Array.from({ length: count }, (_, i): Row => {
  const note = i % 3 === 0 ? null : `n${i % 5}`
  return { id: String(i), order_id: `k${i % 170}`, type: types[i % 5], ...common(i), amount: i % 11, note }
})
const payments = Array.from({ length: count }, (_, i): Row => {
  const method = i % 4 === 0 ? null : i % 2
  return { id: i, for_order: `k${(i * 3) % 170}`, kind: types[i % 3], ...common(i), amount: String(i % 7), method }
})
const inputs = {
  orders: writeLogFiles(join(folder.path, 'orders'), orderColumns, orders, { files: 3, rowGroupRows: 400 }),
  payments: writeLogFiles(join(folder.path, 'payments'), paymentColumns, payments, { files: 2, rowGroupRows: 300 }),
}

const path = fileURLToPath(new URL('../support/jobs/merged.ts', import.meta.url))

test('whoever performs the tasks, views of several logs are the same bytes', async () => {
  const job = await loadJob(path)
  const digestsBy = async (performers: Performers, memoryBytes: number) => {
    const out = join(folder.path, `views-${performers}-${memoryBytes}`)
    const { views } = await rebuildBy(performers, job, { out, inputs, memoryBytes })
    for (const { counters } of views) {
      const { read, applied, filtered, duplicate, late, quarantined } = counters
      expect(read).toBe(2 * count)
      expect(applied + filtered + duplicate + late + quarantined).toBe(read)
    }
    return views.map(({ view, digest }) => `${view} ${digest}`)
  }
  try {
    const alone = await digestsBy(0, 1e9)
    const others: [Performers, number][] = [
      [1, 1e9],
      [2, 1e9],
      [2, 20_000],
      ['hosts', 20_000],
      ['failing hosts', 1e9],
    ]
    for (const [performers, memoryBytes] of others) {
      expect(await digestsBy(performers, memoryBytes), `${performers}`).toEqual(alone)
    }
  } finally {
    job.dispose()
  }
})

test('a view can be made of the rows of a view of several logs', async () => {
  const given = { sequenced: false, sequenceScope: 'stream', tieBreak: [], upcasts: false } as const
  const history = mergedViews({ ...inputs, ...given }).find(({ name }) => name === 'history')!
  const rows = defineLog({ view: history as never, fields: { total: int64() } as never })
  const whole = defineView({
    name: 'whole',
    log: rows,
    key: { all: int64() },
    keyBy: () => ({ all: 0 }),
    state: { orders: int64(), total: int64() },
    on: {
      '*': (s, e) => {
        s.orders++
        s.total += (e as unknown as { total: number }).total
      },
    },
  })
  const out = join(folder.path, 'layers')
  const job = loadedFromDefinition(defineJob({ views: [history, whole] }))
  const { views } = await rebuild(job, { out, workers: 0 })
  const published = readPublished(views.find(({ view }) => view === 'history')!.path).rows
  const total = published.reduce((sum, row) => sum + (row['total'] as number), 0)
  const opened = await openView(out, 'whole')
  for await (const row of opened.rows()) expect(row).toEqual({ all: 0, orders: published.length, total })
  opened.close()
})
