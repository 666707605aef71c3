import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll } from 'vitest'
import { defineJob, defineLog, defineView, int64, json } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { Type } from '../../src/model/type.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { readPublished, scratch } from './logs.ts'

/** Logs that DuckDB writes, in a folder that is gone when the tests of a file are done. DuckDB's clocks show UTC. */
export class DuckDBLogs {
  readonly #folder: ReturnType<typeof scratch>
  #connection: DuckDBConnection | undefined
  #paths = 0

  /** Opens DuckDB before the tests of the file that makes it, and closes it after. */
  constructor(name: string) {
    this.#folder = scratch(name)
    beforeAll(async () => {
      this.#connection = await (await DuckDBInstance.create()).connect()
      await this.#connection.run("SET TimeZone = 'UTC'")
    })
    afterAll(() => {
      this.#connection?.closeSync()
      this.#folder.remove()
    })
  }

  get duckdb(): DuckDBConnection {
    return this.#connection!
  }

  /** A path that nothing has. */
  newPath(): string {
    return join(this.#folder.path, String(this.#paths++))
  }

  newFolder(): string {
    const path = this.newPath()
    mkdirSync(path)
    return path
  }

  /**
   * Has DuckDB write one file for each query.
   *
   * @param options Of COPY, each after a comma.
   * @returns The log's folder.
   */
  async logOf(queries: readonly string[], options = ''): Promise<string> {
    const home = this.newFolder()
    for (const [i, query] of queries.entries()) {
      await this.duckdb.run(`COPY (${query}) TO '${join(home, `${i}.parquet`)}' (FORMAT parquet${options})`)
    }
    return home
  }

  /**
   * What handlers see of the log's fields, by id: published as JSON, so that no state's type comes between; bigints as text.
   *
   * @param declared Of the log, besides its files, id and fields.
   */
  async seen(
    files: string,
    fields: Readonly<Record<string, Type>>,
    { columns = {}, ...declared }: { readonly columns?: object; readonly [option: string]: unknown } = {},
    storage: Disk = disk,
  ): Promise<unknown[][]> {
    const names = Object.keys(fields)
    const log = defineLog({ name: 'log', files, ...declared, columns: { id: 'id' as const, ...columns }, fields })
    const view = defineView({
      name: 'seen',
      log,
      orderFree: true,
      key: { id: int64() },
      keyBy: (e) => ({ id: e.id as number }),
      state: { value: json() },
      on: {
        Event: (s: Record<string, unknown>, e: Record<string, unknown>) => {
          s['value'] = names.map((name) => (typeof e[name] === 'bigint' ? String(e[name]) : e[name]))
        },
      },
    })
    const options = { out: this.newPath(), workers: 0 }
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options, storage)
    return readPublished(report.views[0]!.path).rows.map(({ value }) => value as unknown[])
  }
}
