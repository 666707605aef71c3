/**
 * Everything Refold asks of the place where logs and views are kept. It is handed to whatever reads or writes, so that
 * another can take its place: a faulty one in tests, an object store. All calls are synchronous: they are made on worker
 * threads, or by the command line in between.
 *
 * `Store` is what a disk and an object store such as S3 can both do; what only reads takes a `Store`. `Disk` adds what an
 * object store has no equivalent of: a file that is moved in one step or written bit by bit, folders, flushes.
 *
 * Paths have `/` between their segments. In an object store a folder is nothing but the common beginning of paths: it is
 * there as long as a file is below it.
 */
export interface Store {
  /**
   * What is directly below a folder, sorted by name, by code unit; empty where there is no such folder. An object store
   * lists the prefix `<folder>/` up to the next `/`.
   */
  list(folder: string): ListedEntry[]
  /** What is at a path, links followed; undefined where there is nothing. */
  stat(path: string): EntryStat | undefined
  exists(path: string): boolean
  /** One path for all paths that lead to the same file; an InputError where there is none. */
  canonicalPath(path: string): string
  openForReading(path: string): ReadableFile
  /** A whole file as UTF-8. */
  readText(path: string): string
  /**
   * Creates `path`, writes the chunks so that they outlast a loss of power, and returns what was written. For names that
   * nobody else uses: a writer that is killed may leave a part of the file, and of two writers at once each may fail.
   *
   * @throws OutputError where `path` exists.
   */
  writeNew(path: string, chunks: Iterable<Uint8Array>): WrittenFile
  /**
   * Creates `path` whole or not at all. Of several processes that try to, one succeeds. S3 calls it a PUT with
   * `If-None-Match: *`.
   *
   * @returns False where it exists already, which then is as it was.
   */
  putIfAbsent(path: string, bytes: Uint8Array): boolean
  /** Removes a file, or a folder with all below it, which is not one step; nothing happens where there is none. */
  remove(path: string): void
}

/** The file system of this host, or one that behaves like it. */
export interface Disk extends Store {
  /** How another thread opens the same storage; null where only this thread has it. */
  readonly description: StorageDescription | null
  /** Creates `path`, which must not exist, for writing bit by bit; nothing is flushed unless asked for. */
  openForWriting(path: string): WritableFile
  /**
   * Adds lines to a file and flushes it. See `appendLines`.
   *
   * @param lines Without their ends.
   * @param mayBeThere Whether a process that died may have written the first of them.
   */
  appendLines(path: string, lines: readonly string[], mayBeThere: boolean): void
  /** Makes a folder and those above it; nothing happens where it is there. */
  makeFolder(path: string): void
  /** Makes a new folder among the system's temporary files. @returns Its path, which begins with `prefix` there. */
  makeTemporaryFolder(prefix: string): string
  /** Moves a file or folder in one step; a file at `to` is replaced. */
  rename(from: string, to: string): void
  /** Flushes a folder's entries, so that what was created or moved there outlasts a loss of power. */
  syncFolder(path: string): void
}

/** Plain data that can be sent to another thread, which opens the storage by itself. See `openStorage`. */
export interface StorageDescription {
  readonly kind: 'disk'
}

export type EntryKind = 'file' | 'folder' | 'link' | 'other'

export interface ListedEntry {
  readonly name: string
  /** `link`: a symbolic link to anything; `other`: a device, a pipe. */
  readonly kind: EntryKind
}

export interface EntryStat {
  readonly kind: Exclude<EntryKind, 'link'>
  /** 0 unless it is a file. */
  readonly bytes: number
  /** When its contents were last written, in milliseconds since 1970; a copy may keep the time of the original. */
  readonly writtenMs: number
  /** When anything of it was last changed; can't be set back. */
  readonly changedMs: number
}

export interface ReadableFile {
  readonly path: string
  readonly byteLength: number
  /** Exactly `length` bytes from `offset`; an InputError where the file ends before. The bytes are the caller's own. */
  read(offset: number, length: number): Uint8Array
  /** Fills all of `target` with the bytes from `offset` on; an InputError where the file ends before. */
  readInto(offset: number, target: Uint8Array): void
  close(): void
}

export interface WritableFile {
  /** Bytes written so far. */
  readonly position: number
  write(bytes: Uint8Array): void
  /** Returns when all that was written outlasts a loss of power. */
  flush(): void
  close(): void
}

export interface WrittenFile {
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}
