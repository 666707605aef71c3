import { DuckDBInstance } from '@duckdb/node-api'
import type { Row, ViewReport } from '../../src/index.ts'

/**
 * Asks DuckDB about a rebuilt view: what Refold publishes are plain Parquet files that any engine reads.
 *
 * @param sql A query of the table `view`.
 */
export async function queryView({ path }: ViewReport, sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  try {
    const result = await connection.runAndReadAll(
      `with view as (from read_parquet('${path.replaceAll("'", "''")}/part-*.parquet')) ${sql}`,
    )
    return result.getRowObjectsJS()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
