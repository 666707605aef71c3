import type { ColumnKind, ViewShape, Workload, WorkloadName } from '../workloads.ts'

/**
 * What one would write without a tool: objects, strings and a Map. Both scripts fold this way; they differ by the
 * library that reads and writes. It is also the plainest statement of what each workload means.
 */

/** Money in cents, moments in microseconds since 1970. Only the columns that a workload reads are there. */
export interface LedgerRow {
  readonly event_id: number
  readonly account_id: string
  readonly branch: string
  readonly type: string
  readonly amount: number
  readonly occurred_at: number
  readonly recorded_at: number
  readonly seq: number
}

export type ResultRow = Record<string, string | number>

/** Takes the rows of a log one by one; ends with the rows of one view. */
interface Fold {
  add(row: LedgerRow): void
  rows(): ResultRow[]
}

const day = 86_400_000_000
const outgoing = new Set(['Withdrawn', 'TransferredOut', 'FeeCharged'])
const centsOf = (row: LedgerRow) => (outgoing.has(row.type) ? -row.amount : row.amount)
const dayOf = (moment: number) => Math.floor(moment / day)

/** A state for each key, changed by each row of that key. */
function byKey<State extends ResultRow>(
  keyOf: (row: LedgerRow) => string,
  start: (row: LedgerRow) => State,
  apply: (state: State, row: LedgerRow) => void,
): Fold {
  const states = new Map<string, State>()
  return {
    add: (row) => {
      const key = keyOf(row)
      let state = states.get(key)
      if (state === undefined) {
        state = start(row)
        states.set(key, state)
      }
      apply(state, row)
    },
    rows: () => [...states.values()],
  }
}

/** All rows of each account are kept, ordered at the end, and made into the account's rows. */
function inOrder(fold: (account: string, events: readonly LedgerRow[]) => ResultRow[]): Fold {
  const accounts = new Map<string, LedgerRow[]>()
  return {
    add: (row) => {
      const events = accounts.get(row.account_id)
      if (events === undefined) accounts.set(row.account_id, [row])
      else events.push(row)
    },
    rows: () =>
      Array.from(accounts, ([account, events]) =>
        fold(
          account,
          events.sort((left, right) => left.seq - right.seq),
        ),
      ).flat(),
  }
}

function balances(): Fold {
  return byKey(
    (row) => row.account_id,
    (row) => ({ account_id: row.account_id, balance: 0, entries: 0, lastAt: 0 }),
    (account, row) => {
      account.balance += centsOf(row)
      account.entries++
      account.lastAt = Math.max(account.lastAt, row.occurred_at)
    },
  )
}

function overdraft(account: string, events: readonly LedgerRow[]): ResultRow[] {
  let balance = 0
  let rejected = 0
  for (const event of events) {
    const cents = centsOf(event)
    if (cents < 0 && balance + cents < 0) rejected++
    else balance += cents
  }
  return [{ account_id: account, balance, rejected }]
}

function lowest(account: string, events: readonly LedgerRow[]): ResultRow[] {
  const state = { account_id: account, balance: 0, lowest: 0, highest: 0 }
  for (const event of events) {
    state.balance += centsOf(event)
    state.lowest = Math.min(state.lowest, state.balance)
    state.highest = Math.max(state.highest, state.balance)
  }
  return [state]
}

function daily(): Fold {
  return byKey(
    (row) => `${dayOf(row.occurred_at)} ${row.type}`,
    (row) => {
      const smallest = row.amount
      return { day: dayOf(row.occurred_at), type: row.type, count: 0, total: 0, smallest, largest: 0 }
    },
    (state, row) => {
      state.count++
      state.total += row.amount
      state.smallest = Math.min(state.smallest, row.amount)
      state.largest = Math.max(state.largest, row.amount)
    },
  )
}

function triangle(): Fold {
  const delayOf = (row: LedgerRow) => dayOf(row.recorded_at) - dayOf(row.occurred_at)
  return byKey(
    (row) => `${dayOf(row.occurred_at)} ${delayOf(row)}`,
    (row) => ({ day: dayOf(row.occurred_at), delay: delayOf(row), count: 0 }),
    (cell) => {
      cell.count++
    },
  )
}

function finance(): Fold {
  const monthOf = (row: LedgerRow) => {
    const date = new Date(row.occurred_at / 1000)
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / 86_400_000
  }
  return byKey(
    (row) => `${monthOf(row)} ${row.branch}`,
    (row) => ({ month: monthOf(row), branch: row.branch, deposits: 0, withdrawals: 0, net: 0, entries: 0 }),
    (total, row) => {
      if (row.type === 'Deposited') total.deposits += row.amount
      if (row.type === 'Withdrawn') total.withdrawals += row.amount
      total.net += centsOf(row)
      total.entries++
    },
  )
}

function operations(): Fold {
  return byKey(
    (row) => `${dayOf(row.occurred_at)} ${row.type}`,
    (row) => ({ day: dayOf(row.occurred_at), type: row.type, count: 0, total: 0, largest: 0 }),
    (state, row) => {
      state.count++
      state.total += row.amount
      state.largest = Math.max(state.largest, row.amount)
    },
  )
}

function audit(account: string, events: readonly LedgerRow[]): ResultRow[] {
  const firstAt = events[0]!.occurred_at
  const entries = events.length
  const state = { account_id: account, firstAt, lastAt: 0, entries, balance: 0, lowest: 0 }
  let rejected = 0
  let rejectedAmount = 0
  for (const event of events) {
    const cents = centsOf(event)
    state.lastAt = Math.max(state.lastAt, event.occurred_at)
    // A fee is charged in any case.
    if (cents < 0 && event.type !== 'FeeCharged' && state.balance + cents < 0) {
      rejected++
      rejectedAmount -= cents
      continue
    }
    state.balance += cents
    state.lowest = Math.min(state.lowest, state.balance)
  }
  return [{ ...state, rejected, rejectedAmount }]
}

function notifications(account: string, events: readonly LedgerRow[]): ResultRow[] {
  const rows: ResultRow[] = []
  const tell = (kind: string, event: LedgerRow, amount: number) =>
    rows.push({ account_id: account, n: rows.length + 1, kind, occurredAt: event.occurred_at, amount })
  let balance = 0
  for (const event of events) {
    const before = balance
    balance += centsOf(event)
    if (before >= 10_000 && balance < 10_000) tell('LowBalance', event, balance)
    if (event.type === 'Deposited' && event.amount >= 500_000) tell('LargeDeposit', event, event.amount)
  }
  return rows
}

function withoutDuplicates(fold: Fold): Fold {
  const seen = new Set<number>()
  return {
    add: (row) => {
      if (seen.has(row.event_id)) return
      seen.add(row.event_id)
      fold.add(row)
    },
    rows: fold.rows,
  }
}

/** By view. */
function foldsOf(workload: WorkloadName): Record<string, Fold> {
  switch (workload) {
    case 'overdraft':
      return { overdraft: inOrder(overdraft) }
    case 'lowest':
      return { lowest: inOrder(lowest) }
    case 'daily':
      return { daily: daily() }
    case 'triangle':
      return { triangle: triangle() }
    case 'dedupe':
      return { balances: withoutDuplicates(balances()) }
    case 'five': {
      const five = { balances: balances(), finance: finance(), operations: operations() }
      return { ...five, audit: inOrder(audit), notifications: inOrder(notifications) }
    }
    default:
      return { balances: balances() }
  }
}

export interface Library {
  /** Calls `add` with each row of a file. */
  read(file: string, columns: readonly string[], add: (row: LedgerRow) => void): Promise<void>
  /** Writes a Parquet file. */
  write(path: string, columns: Readonly<Record<string, ColumnKind>>, rows: readonly ResultRow[]): Promise<void>
}

/** The whole script: reads all files, folds, sorts and writes. Returns by view what `pathOf` made of its name. */
export async function runScript(
  library: Library,
  workload: Workload,
  files: readonly string[],
  pathOf: (view: string) => string,
): Promise<Record<string, readonly string[]>> {
  const folds = foldsOf(workload.name)
  const all = Object.values(folds)
  for (const file of files) {
    await library.read(file, workload.reads, (row) => {
      for (const fold of all) fold.add(row)
    })
  }
  const written: Record<string, readonly string[]> = {}
  for (const view of workload.views) {
    const path = pathOf(view.name)
    await library.write(path, view.columns, sorted(folds[view.name]!.rows(), view))
    written[view.name] = [path]
  }
  return written
}

function sorted(rows: ResultRow[], view: ViewShape): ResultRow[] {
  const keys = Object.keys(view.columns).slice(0, view.keys)
  return rows.sort((left, right) => {
    for (const key of keys) {
      const [one, other] = [left[key]!, right[key]!]
      if (one !== other) return one < other ? -1 : 1
    }
    return 0
  })
}
