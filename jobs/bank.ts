/** The read side of a bank: one ledger, one scan, five views that each fold it in a way of their own. */
import { date, dayOf, defineJob, defineLog, defineView, int32, int64, monthOf, string, timestamp } from 'refold'

export const ledger = defineLog({
  name: 'ledger',
  files: 'data/generated/ledger/**/*.parquet',
  columns: {
    id: 'event_id',
    key: 'account_id',
    type: 'type',
    occurredAt: 'occurred_at',
    recordedAt: 'recorded_at',
    sequence: 'seq',
  },
  types: ['Opened', 'Deposited', 'Withdrawn', 'TransferredIn', 'TransferredOut', 'InterestPaid', 'FeeCharged'],
  fields: { amount: int64(), branch: string() },
})

interface Account {
  balance: number
  entries: number
  lastAt: number
}

/** Amounts are cents and never negative: the event's type says which way the money goes. */
function book(account: Account, cents: number, at: number): void {
  account.balance += cents
  account.entries++
  account.lastAt = Math.max(account.lastAt, at)
}

/** What each account holds: one row for each key of the log. Columns that no function of the view reads stay unread. */
export const balances = defineView({
  name: 'balances',
  log: ledger,
  state: { balance: int64(), entries: int32(), lastAt: timestamp() },
  on: {
    Opened: (account, e) => book(account, e.amount, e.occurredAt),
    Deposited: (account, e) => book(account, e.amount, e.occurredAt),
    TransferredIn: (account, e) => book(account, e.amount, e.occurredAt),
    InterestPaid: (account, e) => book(account, e.amount, e.occurredAt),
    Withdrawn: (account, e) => book(account, -e.amount, e.occurredAt),
    TransferredOut: (account, e) => book(account, -e.amount, e.occurredAt),
    FeeCharged: (account, e) => book(account, -e.amount, e.occurredAt),
  },
  // Sums, counts and a maximum come to the same in any order, so none has to be made.
  orderFree: true,
})

/** Money in and out by month and branch: a key of its own. `merge` lets the totals be summed where the data lies. */
export const finance = defineView({
  name: 'finance',
  log: ledger,
  key: { month: date(), branch: string() },
  keyBy: (e) => ({ month: monthOf(e.occurredAt), branch: e.branch }),
  state: { deposits: int64(), withdrawals: int64(), net: int64(), entries: int64() },
  on: {
    Deposited: (total, e) => {
      total.deposits += e.amount
      total.net += e.amount
      total.entries++
    },
    Withdrawn: (total, e) => {
      total.withdrawals += e.amount
      total.net -= e.amount
      total.entries++
    },
    // Transfers, interest and fees move money too; a handler named '*' is for every type without one of its own.
    '*': (total, e) => {
      const outgoing = e.type === 'TransferredOut' || e.type === 'FeeCharged'
      total.net += outgoing ? -e.amount : e.amount
      total.entries++
    },
  },
  merge: (into, from) => {
    into.deposits += from.deposits
    into.withdrawals += from.withdrawals
    into.net += from.net
    into.entries += from.entries
  },
})

/** How much of what happened on each day: for the people who run the bank. */
export const operations = defineView({
  name: 'operations',
  log: ledger,
  key: { day: date(), type: string() },
  keyBy: (e) => ({ day: dayOf(e.occurredAt), type: e.type }),
  state: { count: int64(), total: int64(), largest: int64() },
  on: {
    '*': (day, e) => {
      day.count++
      day.total += e.amount
      day.largest = Math.max(day.largest, e.amount)
    },
  },
  merge: (into, from) => {
    into.count += from.count
    into.total += from.total
    into.largest = Math.max(into.largest, from.largest)
  },
})

interface Audit extends Account {
  firstAt: number
  lowest: number
  rejected: number
  rejectedAmount: number
}

function enter(account: Audit, cents: number, at: number): void {
  if (account.entries === 0) account.firstAt = at
  book(account, cents, at)
  account.lowest = Math.min(account.lowest, account.balance)
}

/** Takes the money only where it is there: the same events in another order would come to another result. */
function pay(account: Audit, cents: number, at: number): void {
  const covered = cents <= account.balance
  enter(account, covered ? -cents : 0, at)
  if (covered) return
  account.rejected++
  account.rejectedAmount += cents
}

/** What each account would hold had nobody been allowed to overdraw. No `merge`: events are folded in their order. */
export const audits = defineView({
  name: 'audit',
  log: ledger,
  state: {
    firstAt: timestamp(),
    lastAt: timestamp(),
    entries: int32(),
    balance: int64(),
    lowest: int64(),
    rejected: int32(),
    rejectedAmount: int64(),
  },
  on: {
    Opened: (account, e) => enter(account, e.amount, e.occurredAt),
    Deposited: (account, e) => enter(account, e.amount, e.occurredAt),
    TransferredIn: (account, e) => enter(account, e.amount, e.occurredAt),
    InterestPaid: (account, e) => enter(account, e.amount, e.occurredAt),
    Withdrawn: (account, e) => pay(account, e.amount, e.occurredAt),
    TransferredOut: (account, e) => pay(account, e.amount, e.occurredAt),
    // A fee is charged in any case: the only way below zero.
    FeeCharged: (account, e) => enter(account, -e.amount, e.occurredAt),
  },
})

const LOW_BALANCE = 10_000
const LARGE_DEPOSIT = 500_000
const euros = (cents: number) => (cents / 100).toFixed(2)

interface Notice {
  kind: string
  occurredAt: number
  text: string
}

const emptyOutbox = () => ({ balance: 0, notices: [] as Notice[] })
type Outbox = ReturnType<typeof emptyOutbox>

/** Changes the balance and says so when it falls below the threshold. */
function settle(outbox: Outbox, cents: number, occurredAt: number): void {
  const before = outbox.balance
  outbox.balance += cents
  if (before < LOW_BALANCE || outbox.balance >= LOW_BALANCE) return
  outbox.notices.push({ kind: 'LowBalance', occurredAt, text: `Your balance is ${euros(outbox.balance)}.` })
}

function withdraw(outbox: Outbox, cents: number, occurredAt: number): void {
  if (cents > outbox.balance) {
    const text = `A payment of ${euros(cents)} was declined: your balance is ${euros(outbox.balance)}.`
    outbox.notices.push({ kind: 'Declined', occurredAt, text })
  } else {
    settle(outbox, -cents, occurredAt)
  }
}

/**
 * What the bank owes its customers to tell them. A rebuild sends nothing: the outbox is a view, and whoever sends
 * compares it with what was sent. State is an object of any shape, and `row` makes several rows of it.
 */
export const notifications = defineView({
  name: 'notifications',
  log: ledger,
  state: emptyOutbox,
  on: {
    Deposited: (outbox, e) => {
      settle(outbox, e.amount, e.occurredAt)
      if (e.amount < LARGE_DEPOSIT) return
      outbox.notices.push({ kind: 'LargeDeposit', occurredAt: e.occurredAt, text: `You received ${euros(e.amount)}.` })
    },
    Withdrawn: (outbox, e) => withdraw(outbox, e.amount, e.occurredAt),
    TransferredOut: (outbox, e) => withdraw(outbox, e.amount, e.occurredAt),
    FeeCharged: (outbox, e) => settle(outbox, -e.amount, e.occurredAt),
    '*': (outbox, e) => settle(outbox, e.amount, e.occurredAt),
  },
  columns: { n: int32(), kind: string(), occurredAt: timestamp(), text: string() },
  row: (outbox) => outbox.notices.map((notice, index) => ({ n: index + 1, ...notice })),
})

export default defineJob({ views: [balances, finance, operations, audits, notifications], schedule: '0 2 * * *' })
