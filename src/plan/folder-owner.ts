import { posix } from 'node:path'
import type { Store } from '../storage/store.ts'

/**
 * Folders in which not every file counts: a table format, or a writer that is not finished, decides which do. Each is recognized by
 * what its specification puts there.
 */

export interface FolderOwner {
  /** As `a Delta table`. */
  readonly kind: string
  /** Why its files can't be read one by one. */
  readonly reason: string
  /** What to do, as a sentence without its full stop. */
  readonly advice: string
}

interface OwnerKind {
  readonly kind: string
  readonly reason: string
  readonly advice: (folder: string) => string
  /** Whether it owns a folder. */
  readonly owns: (folder: string, store: Store) => boolean
}

const byDuckdb = (query: string) =>
  `Export what the table holds now, as with duckdb -c "COPY (${query}) TO 'log.parquet'"`
const bySpark = (read: string) => `Export what the table holds now, as in Spark with ${read}.write.parquet("log")`

const removedRows = 'its log says which files count, and which rows of them were deleted or replaced'

const isThere =
  (name: string) =>
  (folder: string, store: Store): boolean =>
    store.exists(posix.join(folder, name))

function holds(folder: string, name: RegExp, store: Store): boolean {
  return store.stat(folder)?.kind === 'folder' && store.list(folder).some((entry) => name.test(entry.name))
}

const isCalled =
  (name: RegExp) =>
  (folder: string): boolean =>
    name.test(posix.basename(folder))

const owners: readonly OwnerKind[] = [
  {
    kind: 'a Delta table',
    reason: removedRows,
    advice: (folder) => byDuckdb(`FROM delta_scan('${folder}')`),
    owns: isThere('_delta_log'),
  },
  {
    kind: 'an Iceberg table',
    reason: removedRows,
    advice: (folder) => byDuckdb(`FROM iceberg_scan('${folder}', allow_moved_paths = true)`),
    owns: (folder, store) =>
      holds(posix.join(folder, 'metadata'), /\.metadata\.json(\.gz)?$|^version-hint\.text$/, store),
  },
  {
    kind: 'a Hudi table',
    reason: 'its timeline says which files count; the others are older versions of the same rows',
    advice: (folder) => bySpark(`spark.read.format("hudi").load("${folder}")`),
    owns: isThere('.hoodie'),
  },
  {
    kind: 'a Paimon table',
    reason: 'its snapshots say which files count, and rows of one key replace each other',
    advice: (folder) => bySpark(`spark.read.format("paimon").load("${folder}")`),
    owns: isThere('schema/schema-0'),
  },
  {
    kind: 'a Lance dataset',
    reason: 'its versions say which files count',
    advice: (folder) =>
      `Export what it holds now, as in Python with pyarrow.parquet.write_table(lance.dataset("${folder}").to_table(), "log.parquet")`,
    owns: (folder, store) => holds(posix.join(folder, '_versions'), /\.manifest$/, store),
  },
  {
    kind: 'the output of a Spark streaming query',
    reason: '_spark_metadata says which files count; the others were left by attempts that failed',
    advice: (folder) => bySpark(`spark.read.parquet("${folder}")`),
    owns: isThere('_spark_metadata'),
  },
  {
    kind: 'the output of a Spark or Hadoop job that is not finished',
    reason: '_temporary is there until the job commits, and files beside it may be of tasks that will run again',
    advice: (folder) =>
      `Wait until the job has ended. If it failed, remove what it wrote and ${posix.join(folder, '_temporary')}`,
    owns: isThere('_temporary'),
  },
  {
    kind: 'the working folder of a Spark or Hadoop job',
    reason: 'its files do not count until the job commits them',
    advice: () => 'Read the folder that the job writes to, when it has ended',
    owns: isCalled(/^_temporary$|^\.spark-staging-/),
  },
  {
    kind: 'the working folder of a Kafka Connect sink',
    reason: 'its files do not count until the connector moves them to their topic',
    advice: () => 'Read the folder of the topic',
    owns: isCalled(/^\+tmp$/),
  },
  {
    kind: 'a version of a transactional Hive table',
    reason: 'base and delta folders of other versions replace it or delete rows of it',
    advice: () =>
      "Export what the table holds now, as in Hive with INSERT OVERWRITE DIRECTORY 'log' STORED AS PARQUET SELECT * FROM the table",
    owns: isCalled(/^(base_\d{7,}|(delete_)?delta_\d{7,}_\d{7,}(_\d{4})?)(_v\d+)?$/),
  },
]

/** What DuckLake calls its files; which of them count is in a database elsewhere. */
const duckLakeFile = /^ducklake-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-delete)?\.parquet$/

const duckLake: FolderOwner = {
  kind: 'a DuckLake table',
  reason: 'its catalog says which files count, and which rows of them were deleted',
  advice:
    "Export what the table holds now, as with duckdb -c \"ATTACH 'ducklake:catalog.ducklake' AS lake; COPY lake.events TO 'log.parquet'\"",
}

/** A folder that is owned, and by what. */
export interface OwnedFolder extends FolderOwner {
  readonly folder: string
}

/** Finds the owners of files: a folder above a file may be owned at any height. Each folder is looked at once. */
export class FolderOwners {
  readonly #store: Store
  readonly #known = new Map<string, OwnedFolder | null>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The owner of a file by its path, links not followed; null where it has none. */
  ofFile(path: string): OwnedFolder | null {
    const folder = posix.dirname(path)
    return duckLakeFile.test(posix.basename(path)) ? { ...duckLake, folder } : this.ofFolder(folder)
  }

  /** The owner of a folder or of one above it; null where there is none. */
  ofFolder(folder: string): OwnedFolder | null {
    const known = this.#known.get(folder)
    if (known !== undefined) return known
    const above = posix.dirname(folder)
    const found = this.#ownerOf(folder) ?? (above === folder ? null : this.ofFolder(above))
    this.#known.set(folder, found)
    return found
  }

  #ownerOf(folder: string): OwnedFolder | undefined {
    const owner = owners.find(({ owns }) => owns(folder, this.#store))
    return owner && { kind: owner.kind, reason: owner.reason, advice: owner.advice(folder), folder }
  }
}
