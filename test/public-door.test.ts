import { expect, test } from 'vitest'
import * as refold from '../src/index.ts'

test('src/index.ts exports what is promised, and nothing else', () => {
  expect(Object.keys(refold).sort()).toEqual([
    'ConfigurationError',
    'ConflictError',
    'InputError',
    'OutputError',
    'RefoldError',
    'ViewError',
    'bigint',
    'bool',
    'date',
    'dayOf',
    'decimal',
    'defineJob',
    'defineLog',
    'defineView',
    'float64',
    'formatDay',
    'hourOf',
    'int32',
    'int64',
    'json',
    'loadDefinition',
    'loadJob',
    'monthOf',
    'nullable',
    'planRebuild',
    'rebuild',
    'string',
    'timestamp',
  ])
})
