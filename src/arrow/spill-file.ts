import {
  AsyncByteQueue,
  Field,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow'
import type { WritableFile } from '../storage/store.ts'

const schema = new Schema([new Field('word', new Int32(), false)])

/**
 * A file that packed rows are spilled to: an Arrow IPC stream of one column of 32-bit words, uncompressed, one record
 * batch a block. Any Arrow reader reads it; this project reads ranges of words at the byte offsets `append` gives.
 */
export class SpillFile {
  readonly #file: WritableFile
  readonly #writer: RecordBatchStreamWriter

  constructor(file: WritableFile) {
    this.#file = file
    this.#writer = new RecordBatchStreamWriter()
    this.#writer.reset(new FileSink(file), schema)
  }

  /** @returns The byte at which the words begin. */
  append(words: Int32Array): number {
    const { length } = words
    const children = [makeData({ type: new Int32(), length, nullCount: 0, data: words })]
    this.#writer.write(
      new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })),
    )
    // A body is padded to eight bytes and ends the message.
    return this.#file.position - ((words.byteLength + 7) & ~7)
  }

  close(): void {
    this.#writer.finish()
    this.#file.close()
  }
}

/** Hands what the writer makes to the file at once, where Arrow's own queue would keep it. */
class FileSink extends AsyncByteQueue {
  readonly #file: WritableFile

  constructor(file: WritableFile) {
    super()
    this.#file = file
  }

  override write(chunk: Parameters<AsyncByteQueue['write']>[0]): void {
    const view = chunk as ArrayBufferView
    this.#file.write(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
}
