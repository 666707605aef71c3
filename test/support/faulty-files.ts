import { OutputError } from '../../src/model/errors.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'

/** Thrown at the moment the process is said to die, and by everything it tries after that. */
export class Killed extends Error {}

/**
 * - `no space`: this one mutation fails, as on a full disk, with a file half written; later ones work;
 * - `killed before`, `killed within`, `killed after`: the process ends there; nothing changes the disk any more.
 */
export const faults = ['no space', 'killed before', 'killed within', 'killed after'] as const
export type Fault = (typeof faults)[number]

export interface FaultyFiles extends Disk {
  /** Mutations so far, as `rename _staging-… 000001-…`, with what is random left out. */
  readonly mutations: readonly string[]
  readonly triggered: boolean
}

/** The disk, but the `at`-th mutation (from 0) meets a fault. */
export function faultyFiles(at: number, fault: Fault): FaultyFiles {
  const mutations: string[] = []
  let dead = false
  let triggered = false

  function mutate<T>(description: string, path: string, work: () => T, half: () => void): T {
    if (dead) throw new Killed(`already killed before: ${description}`)
    mutations.push(description.replace(/(_staging|_current)-[-0-9a-f]+/g, '$1-…'))
    if (mutations.length - 1 !== at) return work()
    triggered = true
    if (fault === 'no space') {
      half()
      const cause = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' })
      throw new OutputError(`Cannot write ${path}: no space left on the disk.`, { file: path }, { cause })
    }
    dead = true
    if (fault === 'killed within') half()
    if (fault === 'killed after') work()
    throw new Killed(`killed at: ${description}`)
  }

  const short = (path: string) => path.split('/').slice(-1)[0]!
  return {
    ...disk,
    mutations,
    get triggered() {
      return triggered
    },
    writeNew: (path, chunks) => {
      const whole = Buffer.concat([...chunks])
      const half = () => void disk.writeNew(path, [whole.subarray(0, whole.length >> 1)])
      return mutate(`write ${short(path)}`, path, () => disk.writeNew(path, [whole]), half)
    },
    makeFolder: (path) =>
      mutate(
        `make folder ${short(path)}`,
        path,
        () => disk.makeFolder(path),
        () => {},
      ),
    // In one step: it has no half.
    rename: (from, to) =>
      mutate(
        `rename ${short(from)} ${short(to)}`,
        to,
        () => disk.rename(from, to),
        () => {},
      ),
    syncFolder: (path) =>
      mutate(
        `sync ${short(path)}`,
        path,
        () => disk.syncFolder(path),
        () => {},
      ),
    remove: (path) =>
      mutate(
        `remove ${short(path)}`,
        path,
        () => disk.remove(path),
        () => removeFirstFile(path),
      ),
  }
}

function removeFirstFile(path: string): void {
  const [name] = disk.exists(path) && !/\.[a-z]+$/.test(path) ? disk.list(path) : []
  if (name !== undefined) disk.remove(`${path}/${name}`)
}
