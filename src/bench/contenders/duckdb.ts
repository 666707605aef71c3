import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Runner, threads } from '../runner.ts'
import { queriesOf } from './duckdb-queries.ts'

/** Each view is one COPY of one query; DuckDB does the rest, in a database in memory. */
export function duckdbRunner(ordered: boolean): Runner {
  return {
    prepare: async ({ ledger, out }, workload) => {
      const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
      const connection = await instance.connect()
      // Without an order asked for, DuckDB needn't keep that of the input either.
      if (!ordered) await connection.run('SET preserve_insertion_order = false')
      const log = `read_parquet(${quote(join(ledger, '*', '*.parquet'))}, hive_partitioning = false)`
      const queries = queriesOf(workload.name, log)
      const paths = new Map(workload.views.map(({ name }) => [name, join(out, `${name}.parquet`)]))
      const copies = workload.views.map(({ name, columns, keys }) => {
        const order = ordered ? ` ORDER BY ${Object.keys(columns).slice(0, keys).map(identifier).join(', ')}` : ''
        return `COPY (${queries[name]!}${order}) TO ${quote(paths.get(name)!)} (FORMAT parquet)`
      })
      return async () => {
        for (const copy of copies) await connection.run(copy)
        return Object.fromEntries(Array.from(paths, ([name, path]) => [name, [path]]))
      }
    },
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function identifier(name: string): string {
  return `"${name}"`
}
