/**
 * Everything Refold asks of a file system, so that tests can put a faulty one in its place. All calls are synchronous:
 * they are made on worker threads, or by the command line in between.
 */
export interface Files {
  openForReading(path: string): ReadableFile
  /** Creates `path`, which must not exist, for writing bit by bit; nothing is flushed to the disk. For what need not last. */
  openForWriting(path: string): WritableFile
  /** Creates `path`, which must not exist, writes the chunks, flushes them to the disk and tells what was written. */
  writeNew(path: string, chunks: Iterable<Uint8Array>): WrittenFile
  readText(path: string): string
  exists(path: string): boolean
  /** Names in a folder, sorted by code unit; empty where there is no such folder. */
  list(path: string): string[]
  makeFolder(path: string): void
  /** Moves a file or folder in one step; a file at `to` is replaced. */
  rename(from: string, to: string): void
  /** Flushes a folder's entries to the disk. */
  syncFolder(path: string): void
  /** Removes a file or a whole folder; nothing happens where there is none. */
  remove(path: string): void
}

export interface ReadableFile {
  readonly path: string
  readonly byteLength: number
  /**
   * Exactly `length` bytes from `offset`; an InputError where the file ends before. The bytes are the caller's own.
   *
   * @param into Memory of that length to read them into. Absent: new memory.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array
  close(): void
}

export interface WritableFile {
  /** Bytes written so far. */
  readonly position: number
  write(bytes: Uint8Array): void
  close(): void
}

export interface WrittenFile {
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}
