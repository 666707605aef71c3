/** Five views of a bank from one scan; its notices are plain figures, so that SQL can give the same rows. */
import { date, dayOf, defineJob, defineView, int32, int64, monthOf, string, timestamp } from '../../index.ts'
import { accounts } from './accounts.ts'
import { ledger } from './ledger.ts'

export const balances = defineView({ name: 'balances', log: ledger, ...accounts })

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

interface Audit {
  firstAt: number
  lastAt: number
  entries: number
  balance: number
  lowest: number
  rejected: number
  rejectedAmount: number
}

function enter(account: Audit, cents: number, at: number): void {
  if (account.entries === 0) account.firstAt = at
  account.balance += cents
  account.entries++
  account.lastAt = Math.max(account.lastAt, at)
  account.lowest = Math.min(account.lowest, account.balance)
}

function pay(account: Audit, cents: number, at: number): void {
  const covered = cents <= account.balance
  enter(account, covered ? -cents : 0, at)
  if (covered) return
  account.rejected++
  account.rejectedAmount += cents
}

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
    '*': (account, e) => enter(account, e.amount, e.occurredAt),
    Withdrawn: (account, e) => pay(account, e.amount, e.occurredAt),
    TransferredOut: (account, e) => pay(account, e.amount, e.occurredAt),
    // A fee is charged in any case: the only way below zero.
    FeeCharged: (account, e) => enter(account, -e.amount, e.occurredAt),
  },
})

const LOW_BALANCE = 10_000
const LARGE_DEPOSIT = 500_000

interface Notice {
  kind: string
  occurredAt: number
  amount: number
}

const emptyOutbox = () => ({ balance: 0, notices: [] as Notice[] })
type Outbox = ReturnType<typeof emptyOutbox>

/** Changes the balance and says so when it falls below the threshold. */
function settle(outbox: Outbox, cents: number, occurredAt: number): void {
  const before = outbox.balance
  outbox.balance += cents
  if (before < LOW_BALANCE || outbox.balance >= LOW_BALANCE) return
  outbox.notices.push({ kind: 'LowBalance', occurredAt, amount: outbox.balance })
}

export const notifications = defineView({
  name: 'notifications',
  log: ledger,
  state: emptyOutbox,
  on: {
    Deposited: (outbox, e) => {
      settle(outbox, e.amount, e.occurredAt)
      if (e.amount < LARGE_DEPOSIT) return
      outbox.notices.push({ kind: 'LargeDeposit', occurredAt: e.occurredAt, amount: e.amount })
    },
    Withdrawn: (outbox, e) => settle(outbox, -e.amount, e.occurredAt),
    TransferredOut: (outbox, e) => settle(outbox, -e.amount, e.occurredAt),
    FeeCharged: (outbox, e) => settle(outbox, -e.amount, e.occurredAt),
    '*': (outbox, e) => settle(outbox, e.amount, e.occurredAt),
  },
  columns: { n: int32(), kind: string(), occurredAt: timestamp(), amount: int64() },
  row: (outbox) => outbox.notices.map((notice, index) => ({ n: index + 1, ...notice })),
})

export default defineJob({ views: [balances, finance, operations, audits, notifications] })
