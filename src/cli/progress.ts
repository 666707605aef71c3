import { type Options, SingleBar } from 'cli-progress'
import type { Progress } from '../model/report.ts'
import { formatBytes, formatCount, formatSeconds, formatShort } from './numbers.ts'

/** Shows how far a rebuild is. */
export interface ProgressDisplay {
  update(progress: Progress): void
  /** Leaves nothing behind on a terminal. */
  finish(): void
}

/** Between two lines, where there is no terminal. */
const lineMs = 5000
const framesPerSecond = 8
const barWidth = 24

export function showProgress(stderr: NodeJS.WriteStream, stdout: NodeJS.WriteStream, quiet: boolean): ProgressDisplay {
  if (quiet) return { update() {}, finish() {} }
  return stderr.isTTY ? new ProgressBar(stderr, stdout) : new ProgressLines(stderr)
}

/** A stage's speed, measured from its start. */
class Stage {
  readonly name: string
  readonly #startMs: number
  #first: Progress

  constructor(first: Progress, nowMs: number) {
    this.name = first.stage
    this.#first = first
    this.#startMs = nowMs
  }

  /** `map  4,200,000 of 10,000,000 events, 42 %, 8.3 M events/s, 120 MB/s, 0.70 s left` */
  describe({ done, total, unit, bytes }: Progress, nowMs: number): string {
    const seconds = (nowMs - this.#startMs) / 1000
    const rate = seconds > 0.2 ? (done - this.#first.done) / seconds : 0
    const parts = [total > 0 ? `${formatCount(done)} of ${formatCount(total)} ${unit}` : `${formatCount(done)} ${unit}`]
    if (total > 0) parts.push(`${Math.floor((100 * done) / total)} %`)
    if (rate > 0 && unit === 'events') parts.push(`${formatShort(rate)} events/s`)
    if (rate > 0 && bytes > this.#first.bytes) parts.push(`${formatBytes((bytes - this.#first.bytes) / seconds)}/s`)
    if (rate > 0 && total > done) parts.push(`${formatSeconds((total - done) / rate)} left`)
    return parts.join(', ')
  }
}

class ProgressLines implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  #stage: Stage | undefined
  #writtenMs = performance.now()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  update(progress: Progress): void {
    const now = performance.now()
    if (this.#stage?.name !== progress.stage) this.#stage = new Stage(progress, now)
    if (now - this.#writtenMs < lineMs) return
    this.#writtenMs = now
    this.#stream.write(`${progress.stage}: ${this.#stage.describe(progress, now)}\n`)
  }

  finish(): void {}
}

/**
 * A bar on the terminal's last line. All other output goes above it: while the bar is shown, the streams'
 * `write` first clears it. It is not drawn while a line is incomplete.
 */
class ProgressBar implements ProgressDisplay {
  readonly #bar: SingleBar
  readonly #stderr: NodeJS.WriteStream
  readonly #release: readonly (() => void)[]
  #stage: Stage | undefined
  #latest: Progress | undefined
  #midLine = false
  #drawn = false

  constructor(stderr: NodeJS.WriteStream, stdout: NodeJS.WriteStream) {
    this.#stderr = stderr
    const write = stderr.write.bind(stderr)
    const options: Options = {
      format: () => this.#line(),
      fps: framesPerSecond,
      // What another writer took away is drawn again.
      forceRedraw: true,
      clearOnComplete: true,
    }
    this.#bar = new SingleBar({ ...options, ...{ terminal: this.#terminal(write) } })
    const streams = stdout.isTTY ? [stderr, stdout] : [stderr]
    this.#release = streams.map((stream) => this.#watch(stream, write))
    process.once('exit', this.finish)
  }

  update(progress: Progress): void {
    this.#latest = progress
    const first = this.#stage === undefined
    if (this.#stage?.name !== progress.stage) this.#stage = new Stage(progress, performance.now())
    if (first) this.#bar.start(1, 0)
    else this.#bar.update(0)
  }

  finish = (): void => {
    this.#bar.stop()
    for (const release of this.#release.toReversed()) release()
    process.removeListener('exit', this.finish)
  }

  #line(): string {
    const progress = this.#latest
    if (progress === undefined || this.#stage === undefined) return ''
    const filled =
      progress.total > 0 ? Math.round((barWidth * Math.min(progress.done, progress.total)) / progress.total) : 0
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
    const text = `${progress.stage.padEnd(8)} ${bar} ${this.#stage.describe(progress, performance.now())}`
    return text.slice(0, (this.#stderr.columns || 80) - 1)
  }

  /**
   * What cli-progress draws with. Its own saves the cursor when the bar starts and goes back there when it ends, which
   * after a log line is that line; it also changes modes of the terminal that would outlive a killed process.
   */
  #terminal(write: (text: string) => boolean): object {
    const draw = (text: string): void => {
      if (this.#midLine) return
      this.#drawn = true
      write(text)
    }
    const nothing = (): void => {}
    return {
      cursorSave: nothing,
      cursorRestore: nothing,
      cursor: nothing,
      lineWrapping: nothing,
      newline: nothing,
      cursorTo: () => draw('\r'),
      write: draw,
      clearRight: () => draw('\u001b[K'),
      clearLine: () => draw('\u001b[2K'),
      isTTY: () => true,
      getWidth: () => this.#stderr.columns || 80,
    }
  }

  #watch(stream: NodeJS.WriteStream, clear: (text: string) => boolean): () => void {
    const own = Object.getOwnPropertyDescriptor(stream, 'write')
    const write = stream.write
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      if (this.#drawn) clear('\r\u001b[2K')
      this.#drawn = false
      if (chunk.length > 0) this.#midLine = chunk.at(-1) !== (typeof chunk === 'string' ? '\n' : 10)
      return write.call(stream, chunk, ...rest)
    }) as typeof stream.write
    return () => {
      if (own === undefined) Reflect.deleteProperty(stream, 'write')
      else Object.defineProperty(stream, 'write', own)
    }
  }
}
