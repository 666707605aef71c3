import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeShop } from '../../scripts/shop.ts'
import { describeEvents } from '../../src/cli/print-trace.ts'
import { loadJob, rebuild, traceKey } from '../../src/index.ts'
import { readPublished, scratch } from '../support/logs.ts'
import { repositoryRoot } from '../support/refold.ts'

const folder = scratch('shop')
afterAll(folder.remove)

test('the logs of the shop are made byte for byte', () => {
  for (const { log, rows } of writeShop(folder.path)) {
    const file = join(log, 'events.parquet')
    const committed = readFileSync(join(repositoryRoot, 'data/shop', file))
    expect(readFileSync(join(folder.path, file)).equals(committed), log).toBe(true)
    expect(rows).toBeGreaterThan(40)
  }
})

test('its job folds orders and payments together, and its passbook names the log of each event', async () => {
  const job = await loadJob(join(repositoryRoot, 'jobs/shop.ts'))
  try {
    const { views } = await rebuild(job, { out: join(folder.path, 'views'), workers: 0 })
    expect(views[0]!.counters).toMatchObject({ read: 130, applied: 126, duplicate: 4 })
    const { rows } = readPublished(views[0]!.path)
    const statuses = new Set(rows.map(({ status }) => status))
    expect(statuses).toEqual(new Set(['cancelled', 'done', 'overdue', 'paid', 'shipped']))
    const totals = readPublished(views[1]!.path).rows
    expect(totals).toContainEqual({ status: 'overdue', orders: 3, total: 28650, outstanding: 28650 })
    expect(totals.reduce((sum, { orders }) => sum + Number(orders), 0)).toBe(rows.length)
    const traced = await traceKey(job, { view: 'order-status', key: ['O-1016'] })
    const text = describeEvents(traced, traced.events)
    expect(text).toMatch(/^log +event +occurred/)
    expect(text).toMatch(/orders +O-1016\/FellDue .* shipped → overdue/)
    expect(text).toMatch(/payments +O-1016\/1 .* overdue → done/)
  } finally {
    job.dispose()
  }
})
