import { expect, test } from 'vitest'
import { ConfigurationError } from '../../src/model/errors.ts'
import { defineLog } from '../../src/model/log.ts'
import type { GroupPlan, LogPlan } from '../../src/model/plan.ts'
import { int32, string } from '../../src/model/types.ts'
import { defineView, type ViewDefinition } from '../../src/model/view.ts'
import { prepareGroup } from '../../src/view/view-set.ts'

const TYPES_PER_VIEW = 200

const log = defineLog({ name: 'log', files: 'log/*.parquet', columns: { id: 'id', key: 'key', type: 'type' } })

/** Views that share a key, each with handlers of types of its own. */
function prepare(views: number): unknown {
  const definitions = Array.from({ length: views }, (_, view) => {
    const types = Array.from({ length: TYPES_PER_VIEW }, (_, type) => [`${view}-${type}`, () => {}])
    return defineView({ name: `view-${view}`, log, state: { n: int32() }, on: Object.fromEntries(types) })
  }) as unknown as ViewDefinition[]
  const slots = [{ name: 'key', type: string(), storage: 'str', mayBeNull: false }]
  const plan = { slots, roles: { key: 0 }, timeUnit: 'us', zone: 'UTC' } as unknown as LogPlan
  const group = {
    views: definitions.map(({ name }) => name),
    slots: [],
    order: [],
    share: null,
  } as unknown as GroupPlan
  return prepareGroup(plan, group, new Map(definitions.map((view) => [view.name, view])))
}

test('a group has as many event types as fit the code in a packed row, and no more', () => {
  expect(() => prepare(327)).not.toThrow()
  expect(() => prepare(328)).toThrow(ConfigurationError)
  expect(() => prepare(328)).toThrow('expected handlers of at most 65535 event types, found 65600')
})
