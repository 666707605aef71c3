import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Published, publish, type StagedView, stage } from '../../src/commit/commit.ts'
import type { Manifest, ManifestBody } from '../../src/model/manifest.ts'
import { disk } from '../../src/storage/disk.ts'
import {
  exceptionsFolder,
  generationFolder,
  listGenerations,
  partName,
  readManifest,
} from '../../src/storage/generations.ts'
import type { Disk } from '../../src/storage/store.ts'

/** Generations without events: parts are plain text, which publishing doesn't look into. */
export function bodyOf(
  view: string,
  contents: string,
  parts: ManifestBody['files'],
  exceptions: ManifestBody['files'] = [],
): ManifestBody {
  return {
    view,
    fingerprint: `logic of ${contents}`,
    options: { knownAt: null, asOf: null, vintages: null },
    key: [{ name: 'account', type: 'string', nullable: false }],
    columns: [{ name: 'balance', type: 'decimal', nullable: true, precision: 12, scale: 2 }],
    rows: parts.length,
    keys: parts.length,
    counters: { read: 10, applied: 9, filtered: 0, duplicate: 1, late: 0, quarantined: 0 },
    files: parts,
    exceptions,
    window: null,
    triangle: [],
    progress: [{ partition: 'data', recordedAt: '2021-05-22T00:00:00.000000Z' }],
    corrections: [],
    logic: null,
    inputs: [{ log: 'ledger', path: 'data/a.parquet', rows: 10, bytes: 100, footerSha256: 'ab' }],
  }
}

/** Stages and publishes a generation of two parts and a list of exceptions. */
export function build(out: string, view: string, contents: string, files: Disk = disk): Published {
  const staged = stage(out, view, files)
  return publish(staged, writeParts(staged, contents, files), { seconds: 1.5, host: 'here' }, files)
}

export function writeParts(staged: StagedView, contents: string, files: Disk = disk): ManifestBody {
  const write = (name: string, text: string) => {
    const { bytes, sha256 } = files.writeNew(join(staged.folder, name), [Buffer.from(text)])
    return { name, rows: 1, bytes, sha256 }
  }
  const parts = [write(partName(0), `${contents} 0`), write(partName(1), `${contents} 1`)]
  files.makeFolder(exceptionsFolder(staged.folder))
  return bodyOf(staged.view, contents, parts, [write(`_exceptions/${partName(0)}`, `${contents} exceptions`)])
}

/** Reads a generation as a reader would and checks every file against the manifest; returns what the parts say. */
export function readWhole(out: string, view: string, generation: string): string {
  const manifest: Manifest = readManifest(out, view, generation)
  const folder = generationFolder(out, view, generation)
  const texts = [...manifest.files, ...manifest.exceptions].map((file) => {
    const text = disk.readText(join(folder, file.name))
    const sha256 = createHash('sha256').update(text).digest('hex')
    if (sha256 !== file.sha256) throw new Error(`${file.name} of ${generation} isn't what was published: ${text}`)
    return text
  })
  JSON.parse(disk.readText(join(folder, '_run.json')))
  return texts[0]!.replace(/ 0$/, '')
}

/** What every generation of a view says, by name; throws where one of them isn't whole. */
export function readAllWhole(out: string, view: string): Map<string, string> {
  return new Map(listGenerations(out, view).map((name) => [name, readWhole(out, view, name)]))
}
