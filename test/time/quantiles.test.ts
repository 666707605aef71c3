import { expect, test } from 'vitest'
import { studentQuantile } from '../../src/time/quantiles.ts'

// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values of Student's t distribution.
test.each([
  [0.975, 4, 2.776],
  [0.975, 5, 2.571],
  [0.975, 10, 2.228],
  [0.975, 30, 2.042],
  [0.975, 1e9, 1.96],
  [0.9, 4, 1.533],
  [0.9, 20, 1.325],
  [0.75, 4, 0.741],
  [0.75, 1e9, 0.674],
])('at %d with %d degrees of freedom it is %d', (probability, degrees, value) => {
  expect(studentQuantile(probability, degrees)).toBeGreaterThan(value * 0.995 - 0.001)
  expect(studentQuantile(probability, degrees)).toBeLessThan(value * 1.005 + 0.001)
  expect(studentQuantile(1 - probability, degrees)).toBeCloseTo(-studentQuantile(probability, degrees), 6)
})
