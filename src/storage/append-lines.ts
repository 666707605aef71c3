import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { OutputError } from '../model/errors.ts'

const newline = 0x0a

/** How far back whole lines are looked for that an attempt of the same call wrote before its process died. */
const tailBytesMax = 2 ** 23

/**
 * Adds lines to a file, which is made where it isn't there, and flushes it to the disk once. Where a process died while it
 * wrote these very lines, what it wrote of them stays, and the rest follows: a torn line is replaced.
 *
 * @param lines Each without its end; no two are the same.
 * @param mayBeThere Whether a process that died may have written the first of the lines: then they are looked for.
 * @returns Whether the file is new, so that its folder is still to be flushed.
 * @throws OutputError where the file can't be written, or ends within a line that is another.
 */
export function appendLines(path: string, lines: readonly string[], mayBeThere: boolean): boolean {
  const isNew = !existsSync(path)
  try {
    const descriptor = openSync(path, isNew ? 'wx+' : 'r+')
    try {
      const size = fstatSync(descriptor).size
      const there = mayBeThere ? linesThere(descriptor, size, lines) : 0
      const bytes = Buffer.from(
        lines
          .slice(there)
          .map((line) => `${line}\n`)
          .join(''),
      )
      const start = size - tornBytes(descriptor, size, bytes, path)
      ftruncateSync(descriptor, start)
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, start + at)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (error instanceof OutputError) throw error
    throw new OutputError(`Cannot write ${path}: ${(error as Error).message}.`, { file: path }, { cause: error })
  }
  return isNew
}

/** How many of the lines, from the first on, the file has: up to the last that is found near its end. */
function linesThere(descriptor: number, size: number, lines: readonly string[]): number {
  const tail = Buffer.alloc(Math.min(size, tailBytesMax))
  readFully(descriptor, tail, size - tail.length)
  const found = new Set(tail.toString('utf8').split('\n').slice(0, -1))
  return lines.findLastIndex((line) => found.has(line)) + 1
}

/** How many bytes at the end of the file are the beginning of a line that was not finished. */
function tornBytes(descriptor: number, size: number, lines: Buffer, path: string): number {
  if (size === 0) return 0
  // Longer than what could be torn of the lines, so that their beginning is seen; one byte where nothing is added.
  const tail = Buffer.alloc(Math.min(size, Math.max(1, lines.length)))
  readFully(descriptor, tail, size - tail.length)
  if (tail.at(-1) === newline) return 0
  const torn = tail.subarray(tail.lastIndexOf(newline) + 1)
  const isWhole = torn.length < tail.length || size === tail.length
  if (isWhole && torn.equals(lines.subarray(0, torn.length))) return torn.length
  throw new OutputError(
    `Cannot add a line to ${path}: expected it to end with a whole line, found ${JSON.stringify(torn.toString('utf8').slice(-40))} at its end. Complete or remove that line.`,
    { file: path },
  )
}

function readFully(descriptor: number, into: Buffer, position: number): void {
  for (let at = 0; at < into.length; ) {
    const got = readSync(descriptor, into, at, into.length - at, position + at)
    if (got === 0) return
    at += got
  }
}
