import { join } from 'node:path'
import { afterAll } from 'vitest'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'
import { memoryStore } from '../support/memory-store.ts'
import { storeContract } from './store-contract.ts'

const folder = scratch('stores')
afterAll(() => folder.remove())

let roots = 0
storeContract('the disk', () => {
  const root = join(folder.path, String(roots++))
  disk.makeFolder(root)
  return { store: disk, root, makeFolder: disk.makeFolder }
})
storeContract('an object store in memory', () => ({ store: memoryStore(), root: 'views', makeFolder: () => {} }))
