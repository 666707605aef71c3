import { InputError } from '../model/errors.ts'
import type { FilePlan } from '../model/plan.ts'
import { footerSha256, openParquet, type ParquetFile } from '../parquet/file.ts'
import type { ReadableFile, Store } from '../storage/store.ts'

/** Opens the files of logs. The latest stays open: a thread's splits mostly follow each other. */
export class LogFiles {
  readonly #files: Store
  #opened: { path: string; file: ReadableFile; parquet: ParquetFile } | null = null

  constructor(files: Store) {
    this.#files = files
  }

  /**
   * The file, valid until another is asked for.
   *
   * @throws InputError where it isn't the file that was planned.
   */
  readonly open = (plan: FilePlan): ParquetFile => {
    if (this.#opened?.path === plan.path) return this.#opened.parquet
    this.close()
    const file = this.#files.openForReading(plan.path)
    try {
      refuseChanged(file, plan)
      this.#opened = { path: plan.path, file, parquet: openParquet(file) }
      return this.#opened.parquet
    } catch (error) {
      file.close()
      throw error
    }
  }

  close(): void {
    this.#opened?.file.close()
    this.#opened = null
  }
}

/** The plan's row groups are read wherever they were when it was made: in another file there would be other events. */
function refuseChanged(file: ReadableFile, plan: FilePlan): void {
  const found =
    file.byteLength !== plan.bytes
      ? `${file.byteLength} bytes`
      : footerSha256(file) !== plan.footerSha256
        ? 'another footer'
        : undefined
  if (found === undefined) return
  throw new InputError(
    `Cannot read ${plan.path}: the file changed while it was read: expected ${plan.bytes} bytes with the footer that was there at first, found ${found}. Rebuild again when nothing writes to the log's files.`,
    { file: plan.path },
  )
}
