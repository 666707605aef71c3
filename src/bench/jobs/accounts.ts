import { int32, int64, timestamp } from '../../index.ts'

interface Account {
  balance: number
  entries: number
  lastAt: number
}

interface Booking {
  readonly amount: number
  readonly occurredAt: number
}

function book(account: Account, cents: number, at: number): void {
  account.balance += cents
  account.entries++
  account.lastAt = Math.max(account.lastAt, at)
}

const incoming = (account: Account, e: Booking) => book(account, e.amount, e.occurredAt)
const outgoing = (account: Account, e: Booking) => book(account, -e.amount, e.occurredAt)

/** What the accounts hold, over any log with an amount. Sums, counts and a maximum are the same in any order. */
export const accounts = {
  state: { balance: int64(), entries: int32(), lastAt: timestamp() },
  on: {
    Opened: incoming,
    Deposited: incoming,
    TransferredIn: incoming,
    InterestPaid: incoming,
    Withdrawn: outgoing,
    TransferredOut: outgoing,
    FeeCharged: outgoing,
  },
  orderFree: true,
} as const
