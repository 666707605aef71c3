import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../model/errors.ts'

/** Schemes that are also written with fewer slashes than two, as `dbfs:/log`, or lose one where paths are joined. */
const schemes =
  /^(s3[an]?|gs|gcs|r2|az|azure|abfss?|wasbs?|adl|oss|cosn?|obs|hdfs|webhdfs|viewfs|dbfs|hf|https?|ftps?|sftp|file):/i

/** `name://`, whatever the name; one letter and a colon is a drive. */
const anyScheme = /^([a-z][a-z0-9+.-]+):\/\//i

/**
 * A path that the file system of this host is to be asked for. It would take `s3://bucket/views` for a folder named `s3:`.
 *
 * @param action What it is needed for, for the message: `read log ledger at`.
 * @throws ConfigurationError where it is a URL.
 */
export function requireLocal(path: string, action: string): string {
  const scheme = (schemes.exec(path) ?? anyScheme.exec(path))?.[1]
  if (scheme === undefined) return path
  throw new ConfigurationError(
    `Cannot ${action} ${path}: expected a path on this host, found a URL (${scheme.toLowerCase()}). ${adviceOn(path, scheme.toLowerCase())}.`,
  )
}

function adviceOn(url: string, scheme: string): string {
  if (scheme !== 'file') return 'Refold works with local files: copy them from or to the store, or mount it as a folder'
  try {
    return `Write it as the path ${fileURLToPath(url)}`
  } catch {
    return 'Write it as a path'
  }
}
