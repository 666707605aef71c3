/** A thread that writes one partition after the other, as they are sent to it. */
import { parentPort } from 'node:worker_threads'
import { type PartitionTask, writePartition } from './partition.ts'

parentPort!.on('message', (task: PartitionTask) => parentPort!.postMessage(writePartition(task)))
