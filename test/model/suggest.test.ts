import { expect, test } from 'vitest'
import { editDistance, nearest } from '../../src/model/suggest.ts'

test('nearest() forgives a slip, not another word', () => {
  const verbs = ['inspect', 'plan', 'rebuild', 'show', 'get', 'history']
  expect(['rebuid', 'reb', 'shwo', 'hsitory', 'gte', 'paln'].map((typed) => nearest(typed, verbs))).toEqual([
    'rebuild',
    'rebuild',
    'show',
    'history',
    'get',
    'plan',
  ])
  expect(['x', 'delete', 'frobnicate', ''].map((typed) => nearest(typed, verbs))).toEqual(Array(4).fill(undefined))
})

test('editDistance() counts a swap of neighbours as one', () => {
  expect([
    editDistance('abc', 'acb'),
    editDistance('abc', 'abc'),
    editDistance('', 'ab'),
    editDistance('kitten', 'sitting'),
  ]).toEqual([1, 0, 2, 3])
})
