/** Makes the logs of an invented shop below data/shop: the same bytes every time. data/README.md describes them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { columnFromValues } from '../src/columns/from-values.ts'
import type { Fields } from '../src/model/type.ts'
import { int64, string, timestamp } from '../src/model/types.ts'
import { encodeParquet } from '../src/parquet/write.ts'

type Event = Readonly<Record<string, string | number>>

const hour = 3_600_000_000
const start = Date.UTC(2026, 2, 2) * 1000

const logs: Readonly<Record<string, { readonly fields: Fields; readonly events: () => Event[] }>> = {
  orders: {
    fields: {
      event_id: string(),
      order_id: string(),
      type: string(),
      occurred_at: timestamp(),
      recorded_at: timestamp(),
      total: int64(),
    },
    events: orderEvents,
  },
  payments: {
    fields: {
      event_id: string(),
      order_id: string(),
      type: string(),
      occurred_at: timestamp(),
      recorded_at: timestamp(),
      amount: int64(),
    },
    events: paymentEvents,
  },
}

const count = 40

const orderOf = (number: number) => `O-${String(1000 + number)}`
const placedAt = (number: number) => start + number * 5 * hour
const isCancelled = (number: number) => number % 13 === 5
const isNeverPaid = (number: number) => number % 11 === 8
const isPaidLate = (number: number) => number % 6 === 4
const totalOf = (number: number) => 1500 + ((number * 7919) % 180) * 50

/** Each order is placed; most are shipped the day after, some are cancelled; one that isn't paid in time falls due. */
function orderEvents(): Event[] {
  return Array.from({ length: count }, (_, number) => {
    const placed = placedAt(number)
    const base = { order_id: orderOf(number), total: totalOf(number) }
    const event = (type: string, at: number, delay: number): Event => ({
      event_id: `${orderOf(number)}/${type}`,
      ...base,
      type,
      occurred_at: at,
      recorded_at: at + delay,
    })
    const first = event('Placed', placed, hour / 4)
    if (isCancelled(number)) return [first, event('Cancelled', placed + 2 * hour, hour / 4)]
    const due = isPaidLate(number) || isNeverPaid(number) ? [event('FellDue', placed + 72 * hour, 0)] : []
    if (number % 5 === 3) return [first, ...due]
    // Some shipments are reported a day later, and then after payments that came after them.
    return [first, event('Shipped', placed + 30 * hour, number % 7 === 2 ? 18 * hour : hour), ...due]
  }).flat()
}

/** One payment, or two instalments; some are late, one is refunded, and the bank delivers some twice. */
function paymentEvents(): Event[] {
  return Array.from({ length: count }, (_, number) => {
    if (isCancelled(number) || isNeverPaid(number)) return []
    const total = totalOf(number)
    const late = isPaidLate(number) ? 96 * hour : 0
    const pay = (part: number, type: string, amount: number, at: number, delay: number): Event => ({
      event_id: `${orderOf(number)}/${part}`,
      order_id: orderOf(number),
      type,
      occurred_at: at,
      recorded_at: at + delay,
      amount,
    })
    const at = placedAt(number) + 8 * hour + late
    const received =
      number % 4 === 1
        ? [
            pay(1, 'Received', Math.floor(total / 2), at, hour),
            pay(2, 'Received', total - Math.floor(total / 2), at + 20 * hour, hour),
          ]
        : [pay(1, 'Received', total, at, number % 9 === 7 ? 40 * hour : hour)]
    const refunded = number === 17 ? [pay(3, 'Refunded', total, at + 60 * hour, hour)] : []
    const again = number % 10 === 6 ? [received[0]!] : []
    return [...received, ...refunded, ...again]
  }).flat()
}

/** Neighbours of the file are swapped here and there: events arrive out of order. */
function asTheyArrive(events: readonly Event[]): Event[] {
  const arrived = [...events].sort((a, b) => Number(a['recorded_at']) - Number(b['recorded_at']))
  for (let i = 4; i + 1 < arrived.length; i += 9) {
    const [first, second] = [arrived[i]!, arrived[i + 1]!]
    arrived[i] = second
    arrived[i + 1] = first
  }
  return arrived
}

/** @param out Folder for a folder of each log. */
export function writeShop(out: string): readonly { readonly log: string; readonly rows: number }[] {
  return Object.entries(logs).map(([log, { fields, events }]) => {
    const rows = asTheyArrive(events())
    const columns = Object.entries(fields).map(([name, type]) => ({ name, type }))
    const data = columns.map(({ name, type }) =>
      columnFromValues(
        type,
        rows.map((row) => row[name]),
        'handler',
      ),
    )
    const folder = join(out, log)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'events.parquet'), Buffer.concat(encodeParquet(columns, data, { codec: 'SNAPPY' })))
    return { log, rows: rows.length }
  })
}

if (import.meta.main) for (const { log, rows } of writeShop('data/shop')) console.log(`${log}: ${rows} events`)
