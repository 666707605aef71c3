/** A shop: the state of each order, folded from two logs, that of the orders and that of the payments; and totals of those. */
import { bool, defineJob, defineLog, defineView, int32, int64, nullable, string, timestamp } from 'refold'

export const orders = defineLog({
  name: 'orders',
  files: 'data/shop/orders/*.parquet',
  columns: { id: 'event_id', key: 'order_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  types: ['Placed', 'Shipped', 'FellDue', 'Cancelled'],
  fields: { total: int64() },
})

export const payments = defineLog({
  name: 'payments',
  files: 'data/shop/payments/*.parquet',
  columns: { id: 'event_id', key: 'order_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  types: ['Received', 'Refunded'],
  fields: { amount: int64() },
})

interface Order {
  status: string
  total: number
  paid: number
  shippedAt: number | null
  isDue: boolean
}

/** Where an order is, after any of its events: they come in the order in which the two logs recorded them. */
function settle(order: Order): void {
  const isPaid = order.total > 0 && order.paid >= order.total
  if (isPaid) order.status = order.shippedAt === null ? 'paid' : 'done'
  else if (order.isDue) order.status = 'overdue'
  else if (order.shippedAt !== null) order.status = 'shipped'
  else order.status = order.paid > 0 ? 'partly paid' : 'placed'
}

/** The state of each order: placed, paid, shipped, overdue; with what was ordered and what was paid. Amounts are cents. */
export const orderStatus = defineView({
  name: 'order-status',
  // Where both recorded something at the same moment, the order comes before its payment.
  logs: [orders, payments],
  state: {
    status: string(undefined, { initial: 'unknown' }),
    total: int64(),
    paid: int64(),
    shippedAt: nullable(timestamp()),
    isDue: bool(),
  },
  on: {
    orders: {
      Placed: (order, e) => {
        order.total = e.total
        settle(order)
      },
      Shipped: (order, e) => {
        order.shippedAt = e.occurredAt
        settle(order)
      },
      FellDue: (order) => {
        order.isDue = true
        settle(order)
      },
      Cancelled: (order) => {
        order.status = 'cancelled'
      },
    },
    payments: {
      Received: (order, e) => {
        order.paid += e.amount
        settle(order)
      },
      Refunded: (order, e) => {
        order.paid -= e.amount
        settle(order)
      },
    },
  },
})

/** What the orders of each status come to: a view of the rows of the view above, built after it and published with it. */
export const statusTotals = defineView({
  name: 'status-totals',
  log: defineLog({ view: orderStatus, name: 'orders by status' }),
  key: { status: string() },
  keyBy: (order) => ({ status: order.status }),
  state: { orders: int32(), total: int64(), outstanding: int64() },
  on: {
    Event: (sum, order) => {
      sum.orders++
      sum.total += order.total
      if (order.status !== 'cancelled') sum.outstanding += Math.max(0, order.total - order.paid)
    },
  },
})

export default defineJob({ views: [orderStatus, statusTotals] })
