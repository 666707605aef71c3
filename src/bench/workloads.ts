import type { LedgerKind } from './ledgers.ts'

/** What a column of a result holds: whole numbers, text, microseconds since 1970, or days since 1970. */
export type ColumnKind = 'integer' | 'text' | 'moment' | 'day'

/** A view that every contender has to produce, row for row. The first columns are its key. */
export interface ViewShape {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnKind>>
  /** How many columns the rows are sorted by. */
  readonly keys: number
}

/** One task for all contenders. */
export interface Workload {
  readonly name: WorkloadName
  readonly summary: string
  readonly ledger: LedgerKind
  /** Columns of the log that the result depends on. */
  readonly reads: readonly string[]
  readonly views: readonly ViewShape[]
}

const balances: ViewShape = {
  name: 'balances',
  columns: { account_id: 'text', balance: 'integer', entries: 'integer', lastAt: 'moment' },
  keys: 1,
}

const balancesReads = ['account_id', 'type', 'amount', 'occurred_at']

const five: readonly ViewShape[] = [
  balances,
  {
    name: 'finance',
    columns: {
      month: 'day',
      branch: 'text',
      deposits: 'integer',
      withdrawals: 'integer',
      net: 'integer',
      entries: 'integer',
    },
    keys: 2,
  },
  {
    name: 'operations',
    columns: { day: 'day', type: 'text', count: 'integer', total: 'integer', largest: 'integer' },
    keys: 2,
  },
  {
    name: 'audit',
    columns: {
      ...{ account_id: 'text', firstAt: 'moment', lastAt: 'moment', entries: 'integer', balance: 'integer' },
      ...{ lowest: 'integer', rejected: 'integer', rejectedAmount: 'integer' },
    },
    keys: 1,
  },
  {
    name: 'notifications',
    columns: { account_id: 'text', n: 'integer', kind: 'text', occurredAt: 'moment', amount: 'integer' },
    keys: 2,
  },
]

export const workloadNames = [
  ...(['balances', 'overdraft', 'lowest', 'daily', 'triangle'] as const),
  ...(['dedupe', 'json', 'five', 'skew', 'zstd'] as const),
]

export type WorkloadName = (typeof workloadNames)[number]

const described: Readonly<Record<WorkloadName, Omit<Workload, 'name'>>> = {
  balances: {
    summary: 'sum, count and last moment of each account',
    ledger: 'plain',
    reads: balancesReads,
    views: [balances],
  },
  overdraft: {
    summary: "withdrawals that would overdraw are rejected and counted, in each account's order",
    ledger: 'plain',
    reads: ['account_id', 'type', 'amount', 'seq'],
    views: [{ name: 'overdraft', columns: { account_id: 'text', balance: 'integer', rejected: 'integer' }, keys: 1 }],
  },
  lowest: {
    summary: "least and greatest of an account's running balance, in its order",
    ledger: 'plain',
    reads: ['account_id', 'type', 'amount', 'seq'],
    views: [
      {
        name: 'lowest',
        columns: { account_id: 'text', balance: 'integer', lowest: 'integer', highest: 'integer' },
        keys: 1,
      },
    ],
  },
  daily: {
    summary: 'day × type: count, sum, least and greatest amount',
    ledger: 'plain',
    reads: ['type', 'amount', 'occurred_at'],
    views: [
      {
        name: 'daily',
        columns: {
          ...{ day: 'day', type: 'text', count: 'integer', total: 'integer' },
          ...{ smallest: 'integer', largest: 'integer' },
        },
        keys: 2,
      },
    ],
  },
  triangle: {
    summary: 'day of occurrence × days until it was recorded: counts',
    ledger: 'plain',
    reads: ['occurred_at', 'recorded_at'],
    views: [{ name: 'triangle', columns: { day: 'day', delay: 'integer', count: 'integer' }, keys: 2 }],
  },
  dedupe: {
    summary: 'balances of a log that holds 2 % of its events twice',
    ledger: 'duplicates',
    reads: [...balancesReads, 'event_id'],
    views: [balances],
  },
  json: {
    summary: 'balances, with the amount in a JSON column',
    ledger: 'json',
    reads: ['account_id', 'type', 'payload', 'occurred_at'],
    views: [balances],
  },
  five: {
    summary: 'five views of a bank: balances, finance, operations, audit, notifications',
    ledger: 'plain',
    reads: [...balancesReads, 'branch', 'seq'],
    views: five,
  },
  skew: {
    summary: 'balances, with 20 % of all events on one account',
    ledger: 'skew',
    reads: balancesReads,
    views: [balances],
  },
  zstd: {
    summary: 'balances of a log compressed by ZSTD instead of Snappy',
    ledger: 'zstd',
    reads: balancesReads,
    views: [balances],
  },
}

export function workloadOf(name: WorkloadName): Workload {
  return { name, ...described[name] }
}
