/** The process of one contender and one round: runs its work once and sends the parent what it took. */
import { enableCompileCache } from 'node:module'
import { contenders } from './contender.ts'
import type { Task, Written } from './runner.ts'
import { workloadOf } from './workloads.ts'

/** What a contender's process sends: what it took, or why it failed. */
export type Message = Sent | { readonly failure: string }

export interface Sent {
  readonly written: Written
  /** Of the work alone, without starting the process and loading libraries. */
  readonly seconds: number
  /** The most memory that the process ever held. */
  readonly peakBytes: number
}

enableCompileCache()
process.send!(await run(JSON.parse(process.argv[2]!) as Task), () => process.exit())

async function run(task: Task): Promise<Message> {
  try {
    const contender = contenders.find(({ name }) => name === task.contender)!
    const runner = await contender.load()
    const work = await runner.prepare(task, workloadOf(task.workload))
    const started = performance.now()
    const written = await work()
    const seconds = (performance.now() - started) / 1000
    return { written, seconds, peakBytes: process.resourceUsage().maxRSS * 1024 }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}
