import { expect, test } from 'vitest'
import { describeFailure } from '../../src/cli/failure.ts'
import { ConfigurationError, InputError } from '../../src/model/errors.ts'

test('describeFailure() gives the message of an error that was raised on purpose, and its exit code', () => {
  expect(describeFailure(new InputError('Cannot read a.parquet: no such file.'), false)).toEqual({
    text: 'refold: Cannot read a.parquet: no such file.',
    exitCode: 1,
  })
  expect(describeFailure(new ConfigurationError('--out: expected a folder.'), false).exitCode).toBe(2)
})

test('describeFailure() calls anything else an internal error and says how to learn more', () => {
  expect(describeFailure(new TypeError('x is not a function'), false)).toEqual({
    text: 'refold: internal error: TypeError: x is not a function. Run it again with --verbose to see where it happened.',
    exitCode: 1,
  })
  expect(describeFailure('thrown text', false).text).toContain('internal error: thrown text.')
})

test('describeFailure() adds stacks and causes when asked, and stands a circle of causes', () => {
  const cause: Error = new Error('the disk')
  cause.cause = cause
  const { text } = describeFailure(new InputError('Cannot read a.parquet.', {}, { cause }), true)
  expect(text).toMatch(/^refold: Cannot read a\.parquet\.\nInputError: [\s\S]*failure\.test\.ts/)
  expect(text.match(/caused by: Error: the disk/g)).toHaveLength(1)
})
