import type { WorkloadName } from '../workloads.ts'

/**
 * The workloads in SQL. Where there are several ways to say the same, the fastest that was found is taken: the day of
 * a moment by division, four times as fast as a cast; a duplicate's first row by `any_value`, up to twice as fast as
 * `DISTINCT ON`; the overdraft's two numbers in one, faster than a struct.
 */

const outgoing = "type IN ('Withdrawn', 'TransferredOut', 'FeeCharged')"
const cents = `CASE WHEN ${outgoing} THEN -amount ELSE amount END`
const dayOf = (moment: string) => `(epoch_us(${moment}) // 86400000000)::INTEGER`
const date = (day: string) => `DATE '1970-01-01' + ${day}`

const balances = (log: string) => `SELECT account_id, sum(${cents})::BIGINT AS balance,
  count(*)::INTEGER AS entries, max(occurred_at) AS "lastAt" FROM ${log} GROUP BY account_id`

/** The balance, times 2^16, and below it how often money was refused: below zero means that the balance is. */
const overdraft = (log: string) => `SELECT account_id, folded >> 16 AS balance, (folded & 65535)::INTEGER AS rejected
  FROM (SELECT account_id, list_reduce(list((${cents}) * 65536 ORDER BY seq),
    lambda folded, next: CASE WHEN folded + next < 0 THEN folded + 1 ELSE folded + next END) AS folded
    FROM ${log} GROUP BY account_id)`

const lowest = (log: string) => `SELECT account_id, arg_max(balance, seq)::BIGINT AS balance,
  min(balance)::BIGINT AS lowest, max(balance)::BIGINT AS highest
  FROM (SELECT account_id, seq,
    sum(${cents}) OVER (PARTITION BY account_id ORDER BY seq ROWS UNBOUNDED PRECEDING) AS balance FROM ${log})
  GROUP BY account_id`

const daily = (log: string) => `SELECT ${date('day')} AS day, type, count, total, smallest, largest
  FROM (SELECT ${dayOf('occurred_at')} AS day, type, count(*) AS count, sum(amount)::BIGINT AS total,
    min(amount) AS smallest, max(amount) AS largest FROM ${log} GROUP BY ALL)`

const triangle = (log: string) => `SELECT ${date('day')} AS day, delay, count
  FROM (SELECT ${dayOf('occurred_at')} AS day, ${dayOf('recorded_at')} - ${dayOf('occurred_at')} AS delay,
    count(*) AS count FROM ${log} GROUP BY ALL)`

const deduplicated = (log: string) => `(SELECT any_value(account_id) AS account_id, any_value(type) AS type,
  any_value(amount) AS amount, any_value(occurred_at) AS occurred_at FROM ${log} GROUP BY event_id)`

const withAmount = (log: string) => `(SELECT *, (payload->>'amount')::BIGINT AS amount FROM ${log})`

/** The month is found once for each day. */
const finance = (log: string) => `SELECT date_trunc('month', ${date('day')})::DATE AS month, branch,
  sum(deposits)::BIGINT AS deposits, sum(withdrawals)::BIGINT AS withdrawals, sum(net)::BIGINT AS net,
  sum(entries)::BIGINT AS entries
  FROM (SELECT ${dayOf('occurred_at')} AS day, branch, sum(CASE WHEN type = 'Deposited' THEN amount ELSE 0 END) AS deposits,
    sum(CASE WHEN type = 'Withdrawn' THEN amount ELSE 0 END) AS withdrawals, sum(${cents}) AS net, count(*) AS entries
    FROM ${log} GROUP BY ALL) GROUP BY ALL`

const operations = (log: string) => `SELECT ${date('day')} AS day, type, count, total, largest
  FROM (SELECT ${dayOf('occurred_at')} AS day, type, count(*) AS count, sum(amount)::BIGINT AS total,
    max(amount) AS largest FROM ${log} GROUP BY ALL)`

/** An account is opened with nothing, so that the first of its list is the state to begin with. */
const audit = (log: string) => `SELECT account_id, "firstAt", "lastAt", entries, folded.balance AS balance,
  folded.lowest AS lowest, folded.rejected AS rejected, folded."rejectedAmount" AS "rejectedAmount"
  FROM (SELECT account_id, arg_min(occurred_at, seq) AS "firstAt", max(occurred_at) AS "lastAt",
    count(*)::INTEGER AS entries, list_reduce(
      list({balance: ${cents}, lowest: 0::BIGINT, rejected: (type = 'FeeCharged')::INTEGER, "rejectedAmount": 0::BIGINT}
        ORDER BY seq),
      lambda s, e: CASE WHEN e.balance < 0 AND e.rejected = 0 AND s.balance + e.balance < 0
        THEN {balance: s.balance, lowest: s.lowest, rejected: s.rejected + 1,
          "rejectedAmount": s."rejectedAmount" - e.balance}
        ELSE {balance: s.balance + e.balance, lowest: least(s.lowest, s.balance + e.balance), rejected: s.rejected,
          "rejectedAmount": s."rejectedAmount"} END) AS folded
    FROM ${log} GROUP BY account_id)`

const notifications = (log: string) => `SELECT account_id,
  row_number() OVER (PARTITION BY account_id ORDER BY seq)::INTEGER AS n, kind, "occurredAt", amount
  FROM (SELECT account_id, seq, occurred_at AS "occurredAt",
    CASE WHEN type = 'Deposited' THEN 'LargeDeposit' ELSE 'LowBalance' END AS kind,
    CASE WHEN type = 'Deposited' THEN amount ELSE balance::BIGINT END AS amount
    FROM (SELECT account_id, seq, type, occurred_at, amount, ${cents} AS cents,
      sum(${cents}) OVER (PARTITION BY account_id ORDER BY seq ROWS UNBOUNDED PRECEDING) AS balance FROM ${log})
    WHERE (type = 'Deposited' AND amount >= 500000) OR (balance < 10000 AND balance - cents >= 10000))`

const all: Readonly<Record<WorkloadName, Readonly<Record<string, (log: string) => string>>>> = {
  balances: { balances },
  overdraft: { overdraft },
  lowest: { lowest },
  daily: { daily },
  triangle: { triangle },
  dedupe: { balances: (log) => balances(deduplicated(log)) },
  json: { balances: (log) => balances(withAmount(log)) },
  five: { balances, finance, operations, audit, notifications },
  skew: { balances },
  zstd: { balances },
}

/** By view: the query that gives its rows, in any order. `log` is the table to read. */
export function queriesOf(workload: WorkloadName, log: string): Record<string, string> {
  return Object.fromEntries(Object.entries(all[workload]).map(([view, query]) => [view, query(log)]))
}
