import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Which process this is. Its number alone says little: every process of a container may be number 1, containers may have the name of
 * one host, and numbers are given again after a restart.
 */
export interface ProcessIdentity {
  readonly host: string
  readonly process: number
  /** Of the running kernel: new after each start of the machine. This and the following are absent where the system does not say. */
  readonly boot?: string
  /** In which the number is given: a container has one of its own. */
  readonly namespace?: string
  /** When the process began, in ticks since the kernel did: no clock changes it. */
  readonly started?: string
  /** Of the machine's installation. */
  readonly machine?: string
}

export type Liveness = 'running' | 'ended' | 'unknown'

/** What a process's folder in `/proc` says; a host without it says nothing. */
export interface ProcessTable {
  /** A file's text; undefined where there is none. */
  read(path: string): string | undefined
  /** Where a link leads. */
  link(path: string): string | undefined
  /** Whether there is a process of this number, as far as this process can see. */
  isRunning(process: number): boolean
}

const system: ProcessTable = {
  read: (path) => orUndefined(() => readFileSync(path, 'utf8')),
  link: (path) => orUndefined(() => readlinkSync(path)),
  isRunning(id) {
    try {
      process.kill(id, 0)
      return true
    } catch (error) {
      // EPERM: it runs, and is another user's.
      return (error as NodeJS.ErrnoException).code !== 'ESRCH'
    }
  },
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

export function identityOfThisProcess(table: ProcessTable = system): ProcessIdentity {
  const known = {
    boot: table.read('/proc/sys/kernel/random/boot_id')?.trim(),
    namespace: table.link('/proc/self/ns/pid'),
    started: statOf('self', table)?.started,
    machine: table.read('/etc/machine-id')?.trim(),
  }
  const said = Object.entries(known).filter(([, value]) => value !== undefined && value !== '')
  return { host: hostname(), process: process.pid, ...Object.fromEntries(said) }
}

/**
 * Whether another process still runs, as far as that can be known from here: never by a clock, and `unknown` rather than wrong.
 *
 * @param own This process.
 */
export function livenessOf(other: ProcessIdentity, own: ProcessIdentity, table: ProcessTable = system): Liveness {
  if (other.host !== own.host) return 'unknown'
  if (other.boot !== undefined && own.boot !== undefined && other.boot !== own.boot) {
    // The machine was started again, or it is another of the same name.
    const isSameMachine = other.machine !== undefined && other.machine === own.machine
    return isSameMachine && !isContained(other) && !isContained(own) ? 'ended' : 'unknown'
  }
  // A namespace that another process is in can't be looked into. While it is there, no other has its number.
  if (other.namespace !== own.namespace && other.namespace !== undefined && own.namespace !== undefined)
    return 'unknown'
  if (!table.isRunning(other.process)) return 'ended'
  const stat = statOf(String(other.process), table)
  if (stat === undefined) return 'running'
  if (stat.hasEnded) return 'ended'
  return other.started === undefined || stat.started === other.started ? 'running' : 'ended'
}

/** The namespace that a machine's own processes are in, on every Linux. */
const outermostNamespace = 'pid:[4026531836]'

/**
 * What tells processes apart that have one number, as eight digits. Hosts may have names that a path can't hold; containers on one volume
 * may have one name, and do not see each other's processes.
 */
export function markOf(identity: ProcessIdentity): string {
  const { host, boot, namespace } = identity
  const text = isContained(identity) ? `${host} ${boot} ${namespace}` : host
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** Whether a process is in a container. */
function isContained({ namespace }: ProcessIdentity): boolean {
  return namespace !== undefined && namespace !== outermostNamespace
}

/** `/proc/17/stat`: `17 (name) S …`, of which the name may hold anything; the state is its third value and the start its 22nd. */
function statOf(id: string, table: ProcessTable): { readonly started: string; readonly hasEnded: boolean } | undefined {
  const text = table.read(`/proc/${id}/stat`)
  const values = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [values?.[0], values?.[19]]
  // Of a process that nobody waited for only the number is left.
  return state === undefined || started === undefined ? undefined : { started, hasEnded: /^[ZX]/.test(state) }
}
