import { join } from 'node:path'
import { type Runner, threads } from '../runner.ts'
import type { WorkloadName } from '../workloads.ts'

/** The part of nodejs-polars that is used here. It is no dependency, so its own types may not be there. */
interface Expression {
  alias(name: string): Expression
  cast(type: unknown): Expression
  count(): Expression
  cumSum(): Expression
  isIn(values: readonly string[]): Expression
  max(): Expression
  min(): Expression
  minus(other: Expression): Expression
  mul(other: Expression): Expression
  sortBy(by: Expression): Expression
  readonly str: { jsonPathMatch(path: string): Expression }
  sum(): Expression
}

interface Frame {
  collect(): Promise<unknown>
  groupBy(names: readonly string[]): { agg(...expressions: readonly Expression[]): Frame }
  select(...expressions: readonly Expression[]): Frame
  sinkParquet(path: string): Frame
  sort(options: { readonly by: readonly string[] }): Frame
  unique(options: { readonly subset: readonly string[]; readonly keep: 'any' }): Frame
  withColumn(expression: Expression): Frame
}

interface Polars {
  readonly Date: unknown
  readonly Int32: unknown
  readonly Int64: unknown
  readonly Utf8: unknown
  col(name: string): Expression
  len(): Expression
  lit(value: number): Expression
  scanParquet(glob: string): Frame
  when(condition: Expression): { then(value: Expression): { otherwise(value: Expression): Expression } }
}

/** By a name that the compiler doesn't look for. */
const packageName: string = 'nodejs-polars'

async function loadPolars(): Promise<Polars> {
  // Read when the library is loaded.
  process.env['POLARS_MAX_THREADS'] = String(threads)
  return ((await import(packageName)) as { default: Polars }).default
}

/** Lazy frames, written as they are computed. */
export const polarsRunner: Runner = {
  prepare: async ({ ledger, out }, workload) => {
    const polars = await loadPolars()
    const view = workload.views[0]!
    const path = join(out, `${view.name}.parquet`)
    return async () => {
      const log = polars.scanParquet(join(ledger, '*', '*.parquet'))
      const keys = Object.keys(view.columns).slice(0, view.keys)
      await queryOf(polars, workload.name, log).sort({ by: keys }).sinkParquet(path).collect()
      return { [view.name]: [path] }
    }
  },
}

function queryOf(polars: Polars, workload: WorkloadName, log: Frame): Frame {
  const { col } = polars
  switch (workload) {
    case 'lowest':
      return lowest(polars, log)
    case 'daily':
      return log
        .select(col('occurred_at').cast(polars.Date).alias('day'), col('type'), col('amount'))
        .groupBy(['day', 'type'])
        .agg(
          col('amount').count().cast(polars.Int64).alias('count'),
          col('amount').sum().alias('total'),
          col('amount').min().alias('smallest'),
          col('amount').max().alias('largest'),
        )
    case 'triangle': {
      const day = (name: string) => col(name).cast(polars.Date)
      const number = (name: string) => day(name).cast(polars.Int32)
      return log
        .select(day('occurred_at').alias('day'), number('recorded_at').minus(number('occurred_at')).alias('delay'))
        .groupBy(['day', 'delay'])
        .agg(polars.len().cast(polars.Int64).alias('count'))
    }
    case 'dedupe':
      return balances(polars, log.unique({ subset: ['event_id'], keep: 'any' }))
    case 'json': {
      const amount = col('payload').cast(polars.Utf8).str.jsonPathMatch('$.amount').cast(polars.Int64)
      return balances(polars, log.withColumn(amount.alias('amount')))
    }
    default:
      return balances(polars, log)
  }
}

function centsOf({ col, lit, when }: Polars): Expression {
  const outgoing = col('type').isIn(['Withdrawn', 'TransferredOut', 'FeeCharged'])
  return when(outgoing)
    .then(col('amount').mul(lit(-1)))
    .otherwise(col('amount'))
}

function balances(polars: Polars, log: Frame): Frame {
  const { col } = polars
  return log
    .groupBy(['account_id'])
    .agg(
      centsOf(polars).sum().alias('balance'),
      polars.len().cast(polars.Int32).alias('entries'),
      col('occurred_at').max().alias('lastAt'),
    )
}

function lowest(polars: Polars, log: Frame): Frame {
  const { col } = polars
  const running = () => col('cents').sortBy(col('seq')).cumSum()
  return log
    .select(col('account_id'), col('seq'), centsOf(polars).alias('cents'))
    .groupBy(['account_id'])
    .agg(col('cents').sum().alias('balance'), running().min().alias('lowest'), running().max().alias('highest'))
}
