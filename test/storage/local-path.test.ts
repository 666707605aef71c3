import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  ConfigurationError,
  defineJob,
  defineLog,
  defineView,
  inspectLog,
  int64,
  listViews,
  loadDefinition,
  loadJob,
  openView,
  planRebuild,
  rebuild,
} from 'refold'
import { afterEach, describe, expect, test } from 'vitest'
import { fileTarget } from '../../src/notify/targets.ts'
import { disk } from '../../src/storage/disk.ts'
import { requireLocal } from '../../src/storage/local-path.ts'
import { refold, repositoryRoot } from '../support/refold.ts'

describe('requireLocal()', () => {
  test.each([
    ...['s3://bucket/views', 's3a://bucket', 'gs://bucket/log/*.parquet', 'az://container/x', 'abfss://c@a.dfs/x'],
    ...[
      'hdfs://host/x',
      'http://host/x',
      'https://host/x',
      'S3://bucket',
      'dbfs:/log',
      's3:/bucket/views',
      'new+store://x',
    ],
  ])('refuses %s', (url) => {
    expect(() => requireLocal(url, 'use views in')).toThrow(ConfigurationError)
    expect(() => requireLocal(url, 'use views in')).toThrow(`Cannot use views in ${url}: expected a path on this host`)
  })

  test('names the path of a file URL', () => {
    expect(() => requireLocal('file:///data/my%20log', 'read log a at')).toThrow('Write it as the path /data/my log')
    expect(() => requireLocal('file://host/data', 'read log a at')).toThrow('Write it as a path')
  })

  test.each(['views', './s3/x', '/data/a:b', 'C:\\views', 'c:/views', 'day=2021-05-22T06:00/*.parquet', 'a//b', 'x:y'])(
    'lets %s through',
    (path) => expect(requireLocal(path, 'use views in')).toBe(path),
  )
})

const url = 's3://bucket/data'
const refusal = 'expected a path on this host, found a URL (s3)'
afterEach(() => expect(existsSync(join(repositoryRoot, 's3:'))).toBe(false))

function jobOver(files: string) {
  const log = defineLog({ name: 'events', files, columns: { id: 'id', key: 'id' }, fields: { amount: int64() } })
  const state = { sum: int64() }
  return loadDefinition(
    defineJob({ views: [defineView({ name: 'v', log, orderFree: true, state, on: { '*': () => {} } })] }),
  )
}

test('programs are refused URLs', async () => {
  const job = await jobOver(url)
  const local = await jobOver('data/taiwan-backlog/*.parquet')
  for (const refused of [
    () => inspectLog(url),
    () => inspectLog(['data/taiwan-backlog', url]),
    () => planRebuild(job, { out: 'views' }),
    () => planRebuild(local, { out: url }),
    () => planRebuild(local, { out: 'views', inputs: { events: [url] } }),
    () => rebuild(job, { out: 'views', workers: 0 }),
    () => rebuild(local, { out: url, workers: 0 }),
    () => rebuild(local, { out: 'views', spillFolder: url, workers: 0 }),
    () => openView(url, 'v'),
    () => listViews(url),
    () => loadJob(`${url}/job.ts`),
  ]) {
    const error: unknown = await refused().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as ConfigurationError).message).toContain(refusal)
  }
  expect(() => fileTarget(url, disk)).toThrow(refusal)
})

const job = 'jobs/taiwan-backlog.ts'
test.each([
  ['inspect', [url]],
  ['inspect', [`${url}/job.ts`]],
  ['plan', [job, '--out', url]],
  ['rebuild', [job, '--out', url]],
  ['rebuild', [job, '--spill-folder', url]],
  ['rebuild', [job, '--input', `announcements=${url}`]],
  ['show', ['v', '--out', url]],
  ['get', ['v', 'k', '--out', url]],
  ['diff', ['v', '--out', url]],
  ['trace', ['v', 'k', '--out', url]],
  ['triangle', ['v', '--out', url]],
  ['corrections', ['v', '--out', url]],
  ['notify', ['v', '--out', url, '--file', 'x']],
  ['notify', ['v', '--file', url]],
  ['history', ['--out', url]],
  ['bench', ['--out', url]],
  ['bench', ['--data', url]],
])('refold %s %j is refused', (verb, parameters) => {
  const { exitCode, stdout, stderr } = refold([verb, ...parameters])
  expect(stderr).toContain(refusal)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})
