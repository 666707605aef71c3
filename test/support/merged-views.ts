import { defineLog, defineView, int32, int64, json, nullable, string, timestamp } from 'refold'
import type { TieBreak } from '../../src/model/log.ts'
import type { MergedView } from '../../src/model/view.ts'

/** What of two logs may differ from case to case. */
export interface MergedOptions {
  /** Globs of the files of each log. */
  readonly orders: string
  readonly payments: string
  readonly sequenced: boolean
  readonly sequenceScope: 'stream' | 'log'
  readonly tieBreak: readonly TieBreak[]
  readonly upcasts: boolean
}

/** Columns of the two logs' files: some have the same name and another type. */
export const orderColumns = {
  id: string(),
  order_id: string(),
  type: string(),
  happened: timestamp(),
  recorded: timestamp(),
  seq: int64(),
  amount: int64(),
  note: nullable(string()),
}
export const paymentColumns = {
  id: int64(),
  for_order: string(),
  kind: string(),
  happened: timestamp(),
  recorded: timestamp(),
  seq: int32(),
  amount: string(),
  method: nullable(int32()),
}

/** A value that a text shows as it is. */
function shown(value: unknown): string {
  return value === null ? '-' : String(value)
}

/** Two logs and views of both, each folded in another way. */
export function mergedViews({
  orders,
  payments,
  sequenced,
  sequenceScope,
  tieBreak,
  upcasts,
}: MergedOptions): MergedView[] {
  const sequence = sequenced ? { sequence: 'seq' } : {}
  const scope = sequenced ? { sequenceScope } : {}
  const ordersLog = defineLog({
    name: 'orders',
    files: orders,
    columns: { id: 'id', key: 'order_id', type: 'type', occurredAt: 'happened', recordedAt: 'recorded', ...sequence },
    fields: { amount: int64(), note: nullable(string()) },
    types: ['Created', 'Shipped', 'Split', 'Odd'],
    tieBreak: tieBreak as never,
    ...scope,
    upcast: upcasts
      ? {
          Split: (e) => [
            { type: 'Created', amount: e.amount },
            { type: 'Shipped', note: 'split' },
          ],
          Odd: () => null,
        }
      : {},
  })
  const paymentsLog = defineLog({
    name: 'payments',
    files: payments,
    columns: { id: 'id', key: 'for_order', type: 'kind', occurredAt: 'happened', recordedAt: 'recorded', ...sequence },
    fields: { amount: string(), method: nullable(int32()) },
    ...scope,
  })
  return [
    defineView({
      name: 'history',
      logs: [ordersLog, paymentsLog],
      key: { order: string() },
      keyBy: { orders: (e) => ({ order: e.key }), payments: (e) => ({ order: e.key }) },
      state: { text: string(), total: int64() },
      on: {
        orders: {
          Created: (order, e) => {
            order.text += ` o${e.amount}${shown(e.note)}`
            order.total += e.amount
          },
          '*': (order, e) => {
            order.text += ` ${e.type}${e.id}`
          },
        },
        payments: {
          Created: (order, e) => {
            order.text += ` p${e.amount}${shown(e.method)}`
            order.total -= Number(e.amount)
          },
        },
      },
    }),
    defineView({
      name: 'reverse',
      logs: [paymentsLog, ordersLog],
      key: { size: int64(), order: string() },
      keyBy: {
        orders: (e) => [
          { size: e.amount % 2, order: e.key },
          { size: 7, order: '' },
        ],
        payments: (e) => (e.method === 0 ? null : { size: Number(e.amount) % 2, order: '' }),
      },
      filter: { payments: (e) => e.amount !== '3' },
      unknown: 'quarantine',
      onError: 'quarantine',
      state: () => ({ seen: [] as string[] }),
      on: {
        payments: {
          Created: (s, e) => {
            s.seen.push(`p${e.id}`)
            if (e.method === 2) throw new Error(`method of ${e.id}`)
          },
        },
        orders: {
          Created: (s, e, key) => void s.seen.push(`o${e.id}/${key.size}`),
          Shipped: (s, e) => {
            if (s.seen.length === 0) throw new Error(`${e.id} is first`)
            s.seen.push('shipped')
          },
        },
      },
      columns: { seen: json() },
      row: (s) => ({ seen: s.seen }),
    }),
    defineView({
      name: 'sums',
      logs: [ordersLog, paymentsLog],
      key: { noted: string() },
      keyBy: { orders: (e) => ({ noted: shown(e.note) }), payments: (e) => ({ noted: shown(e.method) }) },
      state: { placed: int64(), paid: int64(), events: int32() },
      on: {
        orders: {
          '*': (s, e) => {
            s.placed += e.amount
            s.events++
          },
        },
        payments: {
          Created: (s, e) => {
            s.paid += Number(e.amount)
            s.events++
          },
          Shipped: (s) => void s.events++,
        },
      },
      merge: (into, from) => {
        into.placed += from.placed
        into.paid += from.paid
        into.events += from.events
      },
    }),
    defineView({
      name: 'any-order',
      logs: [paymentsLog, ordersLog],
      key: { order: string() },
      keyBy: { orders: (e) => ({ order: e.key }), payments: (e) => ({ order: e.key }) },
      orderFree: true,
      state: { events: int32() },
      on: { orders: { Created: (s) => void s.events++ }, payments: { '*': (s) => void s.events++ } },
    }),
  ]
}
