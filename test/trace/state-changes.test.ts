import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StateCopy, type StoredChange } from '../../src/trace/state-changes.ts'

/** What `change` changes of a state, as texts: `path: before → after`. */
function changesOf<State>(state: State, change: (state: State) => void): string[] {
  const copy = new StateCopy(state)
  change(state)
  return copy.update(state).listed.map(text)
}

function text({ path, before, after }: StoredChange): string {
  return `${path.join('.')}: ${before ?? ''} → ${after ?? ''}`
}

describe('what an event changed of a free-form state', () => {
  test('names the place in objects, arrays, maps and sets', () => {
    const state = {
      lines: [{ sku: 'a', quantity: 1 }],
      bySku: new Map([['a', { seen: 1 }]]),
      tags: new Set(['new']),
      totals: { eur: 10n } as Record<string, bigint>,
    }
    const changes = changesOf(state, (s) => {
      s.lines[0]!.quantity = 2
      s.lines.push({ sku: 'b', quantity: 5 })
      s.bySku.get('a')!.seen++
      s.bySku.set('b', { seen: 1 })
      s.tags.delete('new')
      s.totals['usd'] = 2n ** 60n
    })
    expect(changes).toEqual([
      'lines.0.quantity: 1 → 2',
      'lines.1:  → {"sku":"b","quantity":5}',
      'bySku.a.seen: 1 → 2',
      'bySku.b:  → {"seen":1}',
      'tags.new: "new" → ',
      'totals.usd:  → 1152921504606846976',
    ])
  })

  test('finds elements that were put in at the front, and taken out of the middle', () => {
    expect(changesOf({ a: [1, 2, 3] }, (s) => s.a.unshift(0))).toEqual(['a.0:  → 0'])
    expect(changesOf({ a: [1, 2, 3, 4] }, (s) => s.a.splice(1, 2))).toEqual(['a.1: 2 → ', 'a.2: 3 → '])
    expect(changesOf({ a: [1, 2, 3, 4] }, (s) => s.a.splice(1, 1, 7, 8))).toEqual(['a.1: 2 → 7', 'a.2:  → 8'])
    expect(changesOf({ a: [1, 2] }, (s) => s.a.splice(0))).toEqual(['a.0: 1 → ', 'a.1: 2 → '])
  })

  test('says nothing of a part that was replaced by an equal one', () => {
    expect(changesOf({ a: { b: [1] }, c: 1 }, (s) => Object.assign(s, { a: { b: [1] }, c: 2 }))).toEqual(['c: 1 → 2'])
  })

  test('tells −0, NaN, null, empty texts and a property that went apart', () => {
    const state: Record<string, unknown> = { zero: 0, number: Number.NaN, none: null, gone: 1, same: Number.NaN }
    const changes = changesOf(state, (s) => {
      Object.assign(s, { zero: -0, number: 1, none: '' })
      delete s['gone']
    })
    expect(changes).toEqual(['zero: 0 → 0', 'number: null → 1', 'none: null → ""', 'gone: 1 → '])
  })

  test('takes states that are an array, a map or a set, and dates and functions in them', () => {
    expect(changesOf([1], (s) => s.push(2))).toEqual(['.1:  → 2'])
    expect(changesOf(new Map([[1n, 'a']]), (s) => s.set(1n, 'b'))).toEqual(['.1: "a" → "b"'])
    expect(changesOf(new Set<number>(), (s) => s.add(4))).toEqual(['.4:  → 4'])
    const state = { at: new Date(0), run: () => 1 }
    expect(changesOf(state, (s) => Object.assign(s, { at: new Date(1), run: () => 2 }))).toEqual([
      'at: "1970-01-01T00:00:00.000Z" → "1970-01-01T00:00:00.001Z"',
    ])
  })

  test('shows an object that holds itself once', () => {
    const state: Record<string, unknown> = { n: 1 }
    const [change] = changesOf(state, (s) => {
      s['self'] = s
    })
    expect(change).toBe('self:  → {"n":1,"self":"[circular]"}')
  })

  test('lists the first hundred places, and counts the others', () => {
    const state = { numbers: Array.from({ length: 500 }, (_, i) => i) }
    const copy = new StateCopy(state)
    state.numbers = state.numbers.map((n) => n + 1)
    const { listed, more, names } = copy.update(state)
    expect({ listed: listed.length, more, names: [...names] }).toEqual({ listed: 100, more: 400, names: ['numbers'] })
    expect(copy.update(state)).toMatchObject({ listed: [], more: 0 })
  })

  test('leaves large properties out, and names them', () => {
    const copy = new StateCopy({
      small: [1, 'a'],
      large: Array.from({ length: 30 }, (_, i) => i),
      text: 'x'.repeat(60),
    })
    expect(copy.properties(50)).toEqual({ state: { small: '[1,"a"]' }, omitted: ['large', 'text'] })
    expect(copy.properties(200).omitted).toEqual([])
  })
})

/** Carries changes out on what the state was, as JSON. */
function applied(before: unknown, changes: readonly StoredChange[]): unknown {
  const root = { '': structuredClone(before) } as Record<string, unknown>
  const holderOf = (path: StoredChange['path']) =>
    path.slice(0, -1).reduce((at: unknown, step) => (at as Record<string, unknown>)[step], root['']) as never
  const removals = changes.filter(({ after }) => after === null).reverse()
  for (const { path } of removals) {
    const holder = holderOf(path) as unknown[] & Record<string, unknown>
    if (Array.isArray(holder)) holder.splice(path.at(-1) as number, 1)
    else delete holder[path.at(-1) as string]
  }
  for (const change of changes) {
    if (change.after === null) continue
    const holder = holderOf(change.path) as unknown[] & Record<string, unknown>
    const step = change.path.at(-1)!
    if (Array.isArray(holder) && change.before === null) holder.splice(step as number, 0, JSON.parse(change.after))
    else holder[step as string] = JSON.parse(change.after)
  }
  return root['']
}

describe('changes lead from one state to the next', () => {
  const anyPart = fc.letrec((tie) => ({
    part: fc.oneof(
      { maxDepth: 3 },
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('', 'a', null, true),
      fc.array(tie('part'), { maxLength: 5 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('part'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).part
  const anyState = fc.dictionary(fc.constantFrom('x', 'y', 'z'), anyPart, { noNullPrototype: true })

  test('for any two states', () => {
    fc.assert(
      fc.property(anyState, anyState, (before, after) => {
        const copy = new StateCopy(before)
        const { listed, more } = copy.update(after)
        fc.pre(more === 0)
        expect(applied(before, listed)).toEqual(after)
        expect(copy.update(after).listed).toEqual([])
        const { state } = copy.properties(Number.POSITIVE_INFINITY)
        expect(Object.fromEntries(Object.entries(state).map(([name, json]) => [name, JSON.parse(json)]))).toEqual(after)
      }),
      { numRuns: 500 },
    )
  })
})
