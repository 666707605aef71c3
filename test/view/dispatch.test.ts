import { describe, expect, test } from 'vitest'
import { int64 } from '../../src/model/types.ts'
import { type AnyHandler, compileColumnFold, NO_HANDLER } from '../../src/view/fold.ts'
import { StateStore } from '../../src/view/state.ts'

interface Calls {
  readonly log: [handler: string, slot: number, key: unknown][]
}

/** More rows than are folded at a time, twice over. */
const ROWS = 5_000
const SLOTS = 7
const fields = { last: int64() }

/** Handlers that note their name; those in capitals take the key. */
function handlersOf(names: string, { log }: Calls): AnyHandler[] {
  const made = new Map<string, AnyHandler>()
  for (const name of names) {
    if (made.has(name)) continue
    const note = (state: unknown, key: unknown) => {
      const own = state as { last: number }
      own.last++
      log.push([name, own.last, key])
    }
    made.set(name, name < 'a' ? (state, _event, key) => note(state, key) : (state) => note(state, undefined))
  }
  return Array.from(names, (name) => made.get(name)!)
}

/** Folds rows of all types in turn, among them one without a handler. */
function fold(names: string, calls: Calls, handlers = handlersOf(names, calls)) {
  const codes = Uint16Array.from({ length: ROWS }, (_, row) => (row * 31) % (names.length + 1))
  const handlerOf = Uint8Array.from({ length: names.length + 1 }, (_, code) => (code === 0 ? NO_HANDLER : code - 1))
  const store = new StateStore(fields)
  store.prepare(SLOTS)
  const compiled = compileColumnFold(
    {
      state: fields,
      handlers,
      returns: handlers.map(() => 'nothing'),
      stateNames: [],
      events: [{ visible: null, absentNames: [] }],
      eventOf: handlers.map(() => 0),
      copiesEvents: false,
      documents: 'frozen',
    },
    [],
  )
  compiled.bindState(store)
  compiled.bindColumns([], codes)
  const rows = Int32Array.from({ length: ROWS }, (_, row) => row)
  const slots = rows.map((row) => row % SLOTS)
  return { codes, compiled, run: () => compiled.run(rows, slots, 0, ROWS, handlerOf, (slot) => `key ${slot}`) }
}

describe('each event comes to the handler of its type', () => {
  test.each(['a', 'aaa', 'ab', 'abab', 'abcab', 'abcdefg', 'A', 'aA', 'AaB', 'abCabC', ''])('handlers %s', (names) => {
    const calls: Calls = { log: [] }
    const { codes, run } = fold(names, calls)
    run()
    const counts = new Int32Array(SLOTS)
    const expected = Array.from(codes).flatMap((code, row) => {
      if (code === 0) return []
      const name = names[code - 1]!
      const slot = row % SLOTS
      counts[slot]!++
      return [[name, counts[slot]!, name < 'a' ? `key ${slot}` : undefined]]
    })
    expect(calls.log).toEqual(expected)
  })
})

test.each([
  ['a', 2047],
  ['ab', 2048],
  ['abc', 2049],
  ['abc', 4999],
])('handlers %s: at() is row %i, where one threw', (names, row) => {
  let seen = 0
  const handlers = Array.from(names, (name) =>
    Object.assign(
      () => {
        if (seen === row) throw new Error('refused')
        seen++
      },
      { label: name },
    ),
  )
  const { compiled, codes } = fold(names, { log: [] }, handlers)
  codes.forEach((_, index) => {
    codes[index] = 1 + (index % names.length)
  })
  const all = Int32Array.from({ length: ROWS }, (_, index) => index)
  const handlerOf = Uint8Array.from({ length: names.length + 1 }, (_, code) => (code === 0 ? NO_HANDLER : code - 1))
  expect(() => compiled.run(all, new Int32Array(ROWS), 0, ROWS, handlerOf, () => null)).toThrow('refused')
  expect(compiled.at()).toBe(row)
})
