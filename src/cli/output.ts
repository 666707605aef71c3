import { OutputError } from '../model/errors.ts'

/**
 * The two streams of the command: results go to stdout, all else to stderr. A reader that closes stdout early, as
 * `head` does, is no error: from then on results go nowhere, and `closed` lets those who make many of them stop.
 */
export class Output {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #closed = false
  #drained: PromiseWithResolvers<void> | undefined

  /** Whether lines for people are left out. */
  quiet = false

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout
    this.#stderr = stderr
    stdout.on('error', (error) => this.#onError(error))
    // One listener for all that is written, however slow the reader is.
    stdout.on('drain', () => this.#goOn())
    stdout.on('close', () => this.#onClosed())
    stderr.on('error', () => {})
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The terminal's width in characters, where results go to a terminal. */
  get width(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.columns : undefined
  }

  get stderr(): NodeJS.WriteStream {
    return this.#stderr
  }

  /** Writes a result as it is; waits where the reader is slower. */
  async result(chunk: string | Uint8Array): Promise<void> {
    if (this.#closed || this.#stdout.write(chunk)) return
    this.#drained ??= Promise.withResolvers()
    await this.#drained.promise
  }

  /** Writes a line for people. */
  note(line: string): void {
    if (!this.quiet) this.error(line)
  }

  /** Writes a line that also those must see who want none: of a failure, or of what is damaged or missing. */
  error(line: string): void {
    this.#stderr.write(`${line}\n`)
  }

  /** Waits until everything has left the process. */
  async flush(): Promise<void> {
    await Promise.all([this.#stdout, this.#stderr].map(flushed))
  }

  #onError(error: NodeJS.ErrnoException): void {
    const isFirst = !this.#closed
    this.#onClosed()
    if (readerIsGone.has(error.code ?? '') || !isFirst) return
    throw new OutputError(`Cannot write the result: ${error.message}.`, {}, { cause: error })
  }

  #onClosed(): void {
    this.#closed = true
    this.#goOn()
  }

  #goOn(): void {
    this.#drained?.resolve()
    this.#drained = undefined
  }
}

/** How the system says that nobody reads any more. */
const readerIsGone = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (stream.destroyed || !stream.writable) resolve()
  else stream.write('', () => resolve())
  return promise
}
