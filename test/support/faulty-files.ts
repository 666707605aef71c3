import { appendFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OutputError } from '../../src/model/errors.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk, WritableFile } from '../../src/storage/store.ts'
import { temporaryName } from '../../src/storage/temporary.ts'

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
  /** Path of the mutation that met the fault, and that as in `mutations`; undefined as long as none did. */
  readonly faultyPath: string | undefined
  readonly faultyStep: string | undefined
  readonly triggered: boolean
  /** Closes the files that a killed process leaves to the system. */
  closeAll(): void
}

interface Mutation<T> {
  readonly name: string
  readonly path: string
  readonly work: () => T
  /** What is left where it stops midway; absent where it is one step. */
  readonly half?: () => void
  /** Where the disk itself clears away what it couldn't finish. */
  readonly halfStaysWhenKilledOnly?: boolean
}

/** The disk, but the `at`-th mutation (from 0) meets a fault. */
export function faultyFiles(at: number, fault: Fault): FaultyFiles {
  const mutations: string[] = []
  const open = new Set<WritableFile>()
  let dead = false
  let faultyPath: string | undefined

  function mutate<T>({ name, path, work, half = () => {}, halfStaysWhenKilledOnly = false }: Mutation<T>): T {
    if (dead) throw new Killed(`already killed before: ${name} ${path}`)
    mutations.push(withoutRandom(name))
    if (mutations.length - 1 !== at) return work()
    faultyPath = path
    if (fault === 'no space') {
      if (!halfStaysWhenKilledOnly) half()
      const cause = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' })
      throw new OutputError(`Cannot write ${path}: no space left on the disk.`, { file: path }, { cause })
    }
    dead = true
    if (fault === 'killed within') half()
    if (fault === 'killed after') work()
    throw new Killed(`killed at: ${name} ${path}`)
  }

  function writable(path: string): WritableFile {
    const file = disk.openForWriting(path)
    const name = short(path)
    open.add(file)
    return {
      get position() {
        return file.position
      },
      write: (bytes) =>
        mutate({
          name: `append ${name}`,
          path,
          work: () => file.write(bytes),
          half: () => file.write(bytes.subarray(0, bytes.length >> 1)),
        }),
      flush: () => mutate({ name: `flush ${name}`, path, work: () => file.flush() }),
      close: () => {
        if (open.delete(file)) file.close()
      },
    }
  }

  return {
    ...disk,
    // Threads would open the disk itself.
    description: null,
    mutations,
    get triggered() {
      return faultyPath !== undefined
    },
    get faultyPath() {
      return faultyPath
    },
    get faultyStep() {
      return faultyPath === undefined ? undefined : mutations[at]
    },
    closeAll() {
      for (const file of open) file.close()
      open.clear()
    },
    writeNew: (path, chunks) => {
      const whole = Buffer.concat([...chunks])
      return mutate({
        name: `write ${short(path)}`,
        path,
        work: () => disk.writeNew(path, [whole]),
        half: () => void disk.writeNew(path, [whole.subarray(0, whole.length >> 1)]),
      })
    },
    putIfAbsent: (path, bytes) =>
      mutate({
        name: `create ${short(path)}`,
        path,
        work: () => disk.putIfAbsent(path, bytes),
        half: () =>
          void disk.writeNew(join(dirname(path), temporaryName('new')), [bytes.subarray(0, bytes.length >> 1)]),
        halfStaysWhenKilledOnly: true,
      }),
    openForWriting: (path) => mutate({ name: `open ${short(path)}`, path, work: () => writable(path) }),
    appendLines: (path, lines, mayBeThere) =>
      mutate({
        name: `append ${short(path)}`,
        path,
        work: () => disk.appendLines(path, lines, mayBeThere),
        half: () => appendFileSync(path, lines.join('\n').slice(0, lines.join('\n').length >> 1)),
      }),
    makeFolder: (path) => mutate({ name: `make folder ${short(path)}`, path, work: () => disk.makeFolder(path) }),
    rename: (from, to) =>
      mutate({ name: `rename ${short(from)} ${short(to)}`, path: to, work: () => disk.rename(from, to) }),
    syncFolder: (path) => mutate({ name: `sync ${short(path)}`, path, work: () => disk.syncFolder(path) }),
    remove: (path) =>
      mutate({
        name: `remove ${short(path)}`,
        path,
        work: () => disk.remove(path),
        half: () => removeFirstFile(path),
      }),
  }
}

const short = (path: string) => path.split('/').at(-1)!

function withoutRandom(name: string): string {
  return name.replace(/(_staging|_current|_spill|_new|scenario)-[-0-9a-f]+/g, '$1-…')
}

function removeFirstFile(path: string): void {
  const [first] = disk.stat(path)?.kind === 'folder' ? disk.list(path) : []
  if (first !== undefined) disk.remove(`${path}/${first.name}`)
}
