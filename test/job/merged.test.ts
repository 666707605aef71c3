import { describe, expect, test } from 'vitest'
import { ConfigurationError, defineJob, defineLog, defineView, int64, string } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'

const columns = { id: 'id', key: 'order_id', type: 'type', recordedAt: 'recorded_at' }
const orders = defineLog({ name: 'orders', files: 'orders', columns, fields: { total: int64() } })
const payments = defineLog({ name: 'payments', files: 'payments', columns, types: ['Paid'] })

/** A sound view of both logs, with other options; untyped, as from a JavaScript file. */
function job(more: object) {
  const sound = {
    name: 'status',
    logs: [orders, payments],
    state: { sum: int64() },
    on: { orders: { Placed: () => {} }, payments: { Paid: () => {} } },
  }
  return defineJob({ views: [defineView({ ...sound, ...more } as never)] })
}

function refusal(more: object): string {
  try {
    loadedFromDefinition(job(more))
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message
  }
}

const log = (more: object) => defineLog({ name: 'payments', files: 'payments', columns, ...more } as never)

describe('a view of several logs', () => {
  test('is loaded where its logs go together', () => {
    expect(refusal({})).toBe('')
    expect(refusal({ key: { order: string() }, keyBy: { orders: () => ({}), payments: () => ({}) } })).toBe('')
  })

  test.each([
    [{ logs: [orders] }, 'logs: expected at least two logs, found 1'],
    [{ logs: [] }, 'logs: expected at least two logs, found 0'],
    [{ logs: [orders, orders] }, 'logs: log "orders" is listed twice'],
    [{ logs: [payments, orders, log({ types: ['Other'] })] }, 'logs: two logs have the name "payments"'],
    [{ log: orders }, 'log: expected nothing, as log and logs exclude each other, found a log'],
    [{ logs: orders }, 'logs: expected an array of logs made by defineLog, found a log'],
    [{ logs: [orders, 'payments'] }, 'expected a log made by defineLog, found "payments"'],
    [
      { logs: [orders, log({ columns: { ...columns, recordedAt: undefined } })] },
      'log "payments" doesn\'t say when it received its events, by which those of several logs are put in order; name the column in columns.recordedAt',
    ],
    [
      { logs: [orders, log({ timeUnit: 'ms' })] },
      'logs of one timeUnit, as their moments are compared, found "orders" in us, "payments" in ms',
    ],
    [
      { logs: [orders, log({ zone: 'Asia/Taipei' })] },
      'logs of one zone, as their days are those of one view, found "orders" in UTC, "payments" in Asia/Taipei',
    ],
    [
      { on: { orders: { Placed: () => {} }, payment: {} } },
      'on.payment: the view reads no log of this name, but orders and payments',
    ],
    [{ keyBy: { order: () => ({}) } }, 'keyBy.order: the view reads no log of this name'],
    [{ filter: { shipments: () => true } }, 'filter.shipments: the view reads no log of this name'],
    [{ on: { orders: { Placed: () => {} } } }, 'on.payments: expected at least one handler, found none'],
    [{ on: { Placed: () => {} } }, 'on.Placed: expected an object of handlers by event type, found a function'],
    [
      { on: { orders: { Placed: () => {} }, payments: { Payed: () => {} } } },
      'on.payments.Payed: log "payments" has no such type, its types are Paid',
    ],
    [
      { keyBy: (e: { key: string }) => e.key },
      "keyBy: expected an object of functions by the log's name, found a function",
    ],
    [{ key: { order: string() }, keyBy: { orders: () => ({}) } }, 'key: declared without keyBy.payments'],
    [
      { logs: [orders, log({ columns: { ...columns, key: int64('order_id') } })] },
      'key: expected logs whose keys have one type, found "orders" has string(), "payments" has int64(); declare key and keyBy',
    ],
    [
      { logs: [orders, log({ columns: { ...columns, key: 'for_order' } })] },
      'key: expected logs whose key columns have one name, found "orders" has order_id, "payments" has for_order',
    ],
    [
      { logs: [orders, log({ columns: { ...columns, key: undefined } })] },
      'it has no key: name the key column of log "payments"',
    ],
    [
      { window: { every: 'day', allowedLateness: '1 day' } },
      'window: log "orders" doesn\'t say when its events happened',
    ],
    [
      { on: { orders: { Placed: async () => {} }, payments: { Paid: () => {} } } },
      'orders, handler Placed: expected a plain function',
    ],
    [{ filter: { payments: async () => true } }, 'payments, filter: expected a plain function'],
    [{ unknown: 'ignore' }, "unknown: expected 'filter', 'quarantine' or 'fail', found \"ignore\""],
    [{ fliter: {} }, 'unknown option "fliter"'],
  ])('is refused: %#', (more, message) => {
    expect(refusal(more)).toContain(message)
  })

  test('has a fingerprint that each of its logs and their order decide', () => {
    const of = (more: object) => loadedFromDefinition(job(more)).fingerprints.get('status')
    const own = of({})
    expect(of({})).toBe(own)
    expect(of({ logs: [payments, orders] })).not.toBe(own)
    expect(of({ logs: [orders, log({ types: ['Paid'], uniqueIds: true })] })).not.toBe(own)
    expect(of({ on: { orders: { Placed: () => {} }, payments: { Paid: () => void 0 } } })).not.toBe(own)
    // Where events lie decides nothing.
    expect(of({ logs: [orders, log({ types: ['Paid'], files: 'elsewhere' })] })).toBe(own)
  })
})
