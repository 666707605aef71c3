/** A thread that reads and decompresses columns of files, and forgets them. */
import { parentPort } from 'node:worker_threads'
import { readColumnPages } from '../parquet/column-pages.ts'
import { openParquet } from '../parquet/file.ts'
import { disk } from '../storage/disk.ts'
import type { FloorTask } from './floor.ts'

parentPort!.on('message', ({ files, columns }: FloorTask) => {
  let bytes = 0
  for (const path of files) {
    const file = disk.openForReading(path)
    const parquet = openParquet(file)
    for (const { index } of parquet.rowGroups) {
      for (const column of columns) {
        for (const page of readColumnPages(parquet, index, column)) bytes += page.values.length
      }
    }
    file.close()
  }
  parentPort!.postMessage(bytes)
})
