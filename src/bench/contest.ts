import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { type Contender, patienceSeconds } from './contender.ts'
import type { Message, Sent } from './contender-process.ts'
import { digestFiles, digestRows, type RowsDigest } from './digest.ts'
import type { BenchLedger } from './ledgers.ts'
import { type Entry, type Figures, spreadOf } from './result.ts'
import type { Workload } from './workloads.ts'

/** A clone runs its TypeScript as it is; the published package has JavaScript. */
const processUrl = new URL(
  import.meta.url.endsWith('.ts') ? './contender-process.ts' : './contender-process.js',
  import.meta.url,
)

interface Round {
  readonly seconds: number
  readonly wholeSeconds: number
  readonly peakBytes: number
}

/** One contender in one workload: runs it round by round and keeps its cost and its result. */
export class Contestant {
  readonly contender: Contender
  readonly #workload: Workload
  readonly #rounds: Round[] = []
  readonly #digests = new Map<string, RowsDigest>()
  #remark: string | null
  #failed = false
  #stopped: boolean

  /** `excuse`: why it doesn't take part; null where it does. */
  constructor(contender: Contender, workload: Workload, excuse: string | null) {
    this.contender = contender
    this.#workload = workload
    this.#remark = excuse ?? (contender.readsDictionaries ? null : 'reads a copy of the log without dictionaries')
    this.#stopped = excuse !== null
  }

  get rounds(): readonly Round[] {
    return this.#rounds
  }

  /** Whether it has no further rounds. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** One round in a process of its own, in a new folder below `scratch` that is gone afterwards. */
  async run(ledger: BenchLedger, scratch: string, signal: AbortSignal | undefined): Promise<void> {
    const out = join(scratch, this.contender.name)
    rmSync(out, { recursive: true, force: true })
    mkdirSync(out, { recursive: true })
    try {
      const { written, ...round } = await this.#runProcess(ledger, out, signal)
      this.#digest(written)
      this.#rounds.push(round)
      if (this.contender.isScript && round.seconds > patienceSeconds) {
        this.#stopped = true
        this.#remark = `a single round, as it took longer than ${patienceSeconds} s`
      }
    } catch (error) {
      signal?.throwIfAborted()
      this.#failed = true
      this.#stopped = true
      this.#remark = `failed: ${error instanceof Error ? error.message : String(error)}`
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  }

  /** `yardstick`: what times are compared with, round by round. */
  entry(yardstick: Contestant | undefined, events: number): Entry {
    const digests = [...new Map([...this.#digests.values()].map((digest) => [digest.hash, digest])).values()]
    return {
      contender: this.contender.name,
      remark: this.#remark,
      failed: this.#failed,
      rows: digests[0]?.rows ?? 0,
      hashes: digests.map(({ hash }) => hash),
      figures: this.#rounds.length === 0 ? null : this.#figures(yardstick?.rounds ?? [], events),
    }
  }

  #figures(compared: readonly Round[], events: number): Figures {
    const seconds = spreadOf(this.#rounds.map((round) => round.seconds))
    const ratios = (of: (round: Round) => number): number | null => {
      const pairs = this.#rounds.slice(0, compared.length)
      return pairs.length === 0 ? null : spreadOf(pairs.map((round, i) => of(round) / of(compared[i]!))).median
    }
    return {
      seconds,
      wholeSeconds: spreadOf(this.#rounds.map((round) => round.wholeSeconds)),
      peakBytes: Math.max(...this.#rounds.map((round) => round.peakBytes)),
      eventsPerSecond: events / seconds.median,
      ratio: ratios((round) => round.seconds),
      wholeRatio: ratios((round) => round.wholeSeconds),
    }
  }

  /** Rows are read and compared where the files aren't those of a round before, byte for byte. */
  #digest(written: Sent['written']): void {
    const files = digestFiles(written)
    if (!this.#digests.has(files)) this.#digests.set(files, digestRows(this.#workload.views, written))
  }

  async #runProcess(ledger: BenchLedger, out: string, signal: AbortSignal | undefined): Promise<Sent & Round> {
    const task = {
      contender: this.contender.name,
      workload: this.#workload.name,
      ledger: ledger.folder,
      files: ledger.files,
      out,
    }
    const started = performance.now()
    const child = fork(processUrl, [JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: this.contender.isScript ? [`--max-old-space-size=${Math.floor((0.75 * totalmem()) / 2 ** 20)}`] : [],
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    })
    let sent: Message | undefined
    let complaint = ''
    child.on('message', (message) => {
      sent = message as Message
    })
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint += text
    })
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
    const wholeSeconds = (performance.now() - started) / 1000
    if (sent !== undefined && 'failure' in sent) throw new Error(sent.failure)
    if (sent !== undefined && code === 0) return { ...sent, wholeSeconds }
    throw new Error(fatalError(complaint) ?? `its process ended by ${killedBy ?? `exit code ${code}`}`)
  }
}

/** The line that says why V8 gave up, where it did. */
function fatalError(complaint: string): string | undefined {
  return complaint.split('\n').find((line) => line.startsWith('FATAL ERROR'))
}
