/** Which rows of a batch go to keys, each as often as it has keys. */
export interface Emission {
  readonly count: number
  /** Row of the batch. */
  readonly rows: Int32Array
  /** Whether any row has several keys. */
  readonly hasMultiKeyRows: boolean
}

/** An emission with each row's key. */
export interface KeyedRows extends Emission {
  readonly hashes: Int32Array
  /** The key's bytes are `keyData[keyStarts[i] … + keyLengths[i])`. */
  readonly keyData: Uint8Array
  readonly keyStarts: Int32Array
  readonly keyLengths: Int32Array
  /** The hash of every key at least once: fewer than rows where the distinct keys are known. */
  readonly distinctHashes: Int32Array
}

/** An emission with the distinct keys of its rows. */
export interface FoundKeys extends Emission {
  /** Number of the key among the distinct ones. */
  readonly slots: Int32Array
  readonly distinct: DistinctKeys
}

export interface DistinctKeys {
  readonly count: number
  readonly hashes: Int32Array
  readonly data: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
}
