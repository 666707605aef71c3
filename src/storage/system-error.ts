import { InputError, OutputError } from '../model/errors.ts'

/** Does what reads `path`. @throws InputError that names it, where that fails. */
export function reading<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}.`, { file: path }, { cause: error })
  }
}

/** Does what writes `path`. @throws OutputError that names it, where the system refuses it. */
export function writing<T>(action: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new OutputError(`Cannot ${action} ${path}: ${reasonOf(error)}.`, { file: path }, { cause: error })
  }
}

/** The system's name of an error or of its cause, as `ENOENT`; undefined where it is another's. */
export function codeOf(error: unknown): string | undefined {
  if (isSystemError(error)) return error.code
  return error instanceof Error && isSystemError(error.cause) ? error.cause.code : undefined
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'expected a file, found a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'it exists already',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
}

function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return String(error)
  return (error.code !== undefined && reasons[error.code]) || error.message
}
