import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { OutputError } from '../model/errors.ts'

const newline = 0x0a

/**
 * Adds a line to a file, which is made where it isn't there, and flushes it to the disk. Where a process died while it
 * wrote this very line, what it wrote of it is replaced.
 *
 * @param line Without its end.
 * @returns Whether the file is new, so that its folder is still to be flushed.
 * @throws OutputError where the file can't be written, or ends within a line that is another.
 */
export function appendLine(path: string, line: string): boolean {
  const isNew = !existsSync(path)
  try {
    const descriptor = openSync(path, isNew ? 'wx+' : 'r+')
    try {
      const bytes = Buffer.from(`${line}\n`)
      const size = fstatSync(descriptor).size
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

/** How many bytes at the end of the file are the beginning of a line that was not finished. */
function tornBytes(descriptor: number, size: number, line: Buffer, path: string): number {
  if (size === 0) return 0
  const tail = Buffer.alloc(Math.min(size, line.length))
  readSync(descriptor, tail, 0, tail.length, size - tail.length)
  if (tail.at(-1) === newline) return 0
  const torn = tail.subarray(tail.lastIndexOf(newline) + 1)
  const isWhole = torn.length < tail.length || size === tail.length
  if (isWhole && torn.equals(line.subarray(0, torn.length))) return torn.length
  throw new OutputError(
    `Cannot add a line to ${path}: expected it to end with a whole line, found ${JSON.stringify(torn.toString('utf8').slice(-40))} at its end. Complete or remove that line.`,
    { file: path },
  )
}
