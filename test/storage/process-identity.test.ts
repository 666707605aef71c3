import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import {
  identityOfThisProcess,
  livenessOf,
  markOf,
  type ProcessIdentity,
  type ProcessTable,
} from '../../src/storage/process-identity.ts'

const outermost = 'pid:[4026531836]'

/** The machine's own process 17. */
const own: ProcessIdentity = {
  host: 'a',
  process: 17,
  boot: 'b1',
  namespace: outermost,
  started: '500',
  machine: 'm',
}
const contained = { ...own, namespace: 'pid:[4026532001]', process: 1 }

/** Processes by number: when they began, or that they ended and nobody waited for them. */
function tableOf(processes: Record<number, string>): ProcessTable {
  const stat = (id: string) => {
    const started = processes[Number(id)]
    if (started === undefined) return undefined
    const state = started === 'zombie' ? 'Z' : 'S'
    return `${id} (no) de (x) ${state} 1 ${'0 '.repeat(17)}${started} 0 0`
  }
  return {
    read: (path) => stat(/^\/proc\/(\d+)\/stat$/.exec(path)?.[1] ?? ''),
    link: () => undefined,
    isRunning: (id) => id in processes,
  }
}

test.each<
  [
    string,
    { readonly [Name in keyof ProcessIdentity]?: ProcessIdentity[Name] | undefined },
    ProcessIdentity,
    Record<number, string>,
    string,
  ]
>([
  ['runs', {}, own, { 17: '500' }, 'running'],
  ['is gone', {}, own, {}, 'ended'],
  ['had a number that another process has now', {}, own, { 17: '900' }, 'ended'],
  ['ended and nobody waited for it', {}, own, { 17: 'zombie' }, 'ended'],
  ['said only its number, which is running', { started: undefined }, own, { 17: '900' }, 'running'],
  ['is on another host', { host: 'z' }, own, {}, 'unknown'],
  ['is from before the machine was started again', { boot: 'b0' }, own, { 17: '500' }, 'ended'],
  ['is on another machine of this name', { boot: 'b0', machine: 'n' }, own, {}, 'unknown'],
  ['is on a machine that does not say which it is', { boot: 'b0', machine: undefined }, own, {}, 'unknown'],
  ['is number 1 of the same container', contained, contained, { 1: '500' }, 'running'],
  [
    'was number 1 before the container was started again',
    { ...contained, started: '3' },
    contained,
    { 1: '500' },
    'ended',
  ],
  [
    'is number 1 of another container of this name',
    { ...contained, namespace: 'pid:[2]' },
    contained,
    { 1: '500' },
    'unknown',
  ],
  ['is in a container, seen from its host', contained, own, {}, 'unknown'],
  ['is on its host, seen from a container', {}, contained, {}, 'unknown'],
  ['is in a container of another boot', { ...contained, boot: 'b0' }, contained, {}, 'unknown'],
])('a process that %s', (_, other, from, processes, liveness) => {
  const identity = Object.fromEntries(Object.entries({ ...own, ...other }).filter(([, value]) => value !== undefined))
  expect(livenessOf(identity as unknown as ProcessIdentity, from, tableOf(processes))).toBe(liveness)
})

test('this process knows itself', () => {
  const identity = identityOfThisProcess()
  expect(identity).toMatchObject({ host: hostname(), process: process.pid })
  expect(livenessOf(identity, identityOfThisProcess())).toBe('running')
  if (process.platform !== 'linux') return
  expect(identity.started).toMatch(/^\d+$/)
  expect(livenessOf({ ...identity, started: '1' }, identity)).toBe('ended')
})

test('temporary files of containers of one name are told apart, those of a machine that was started again are not', () => {
  expect(markOf(contained)).not.toBe(markOf({ ...contained, namespace: 'pid:[2]' }))
  expect(markOf(contained)).not.toBe(markOf(own))
  expect(markOf({ ...own, boot: 'b0' })).toBe(markOf(own))
  expect(markOf({ host: 'a', process: 1 })).toBe(markOf(own))
})
