import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import { cursorPath, notifyingPath } from '../../src/notify/cursor.ts'
import { type Delivered, type DeliverOptions, deliverNotices } from '../../src/notify/deliver.ts'
import { commandTarget, fileTarget, type Target, webhookTarget } from '../../src/notify/targets.ts'
import { publishedGenerations } from '../../src/read/notices.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { type CaseEvent, type CorrectedView, correctedView } from '../support/corrected-view.ts'
import { scratch } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

const folder = scratch('notify')
let view: CorrectedView
/** The ids of all notices, in order: three generations, of which the second and third correct figures. */
let ids: string[]
const events: CaseEvent[] = [1, 2, 3].map((day) => ({ id: `e${day}`, region: 'a', day, recordedDay: 4, cases: day }))

beforeAll(async () => {
  view = correctedView(join(folder.path, 'log'))
  view.setLog(events)
  await view.publish(1)
  const second = (await view.publish(2)).generation
  const third = (await view.publish(3)).generation
  ids = [second, third].flatMap((generation) => [0, 1, 2].map((row) => `cases/${generation}/${row}`))
})
afterAll(folder.remove)

let file: string
let files = 0
beforeEach(() => {
  file = join(folder.path, `notices-${files++}.jsonl`)
})

function deliver(target: Target, options: Partial<DeliverOptions> = {}, storage: Disk = disk): Promise<Delivered> {
  const { signal } = new AbortController()
  return deliverNotices(view.out, 'cases', target, { retries: 2, waitMs: 1, signal, ...options }, storage)
}

function delivered(path = file): string[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => (JSON.parse(line) as { id: string }).id)
}

/** The disk, but cursors can't be written any more after the first `count`. */
function killedAfter(count: number): Disk {
  let written = 0
  return {
    ...disk,
    writeNew: (path, chunks) => {
      if (path.includes('_notified-') && written++ === count) throw new Error('killed')
      return disk.writeNew(path, chunks)
    },
  }
}

describe('a file', () => {
  test('gets a line for each notice, in the order of generations and rows, and none twice', async () => {
    expect(await deliver(fileTarget(file, disk))).toEqual({ delivered: 6, last: ids[5] })
    expect(delivered()).toEqual(ids)
    expect(await deliver(fileTarget(file, disk))).toEqual({ delivered: 0, last: null })
    expect(delivered()).toEqual(ids)
  })

  test('gets no notice twice where the process died before it noted that they were delivered', async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(deliver(fileTarget(file, disk), {}, killedAfter(0))).rejects.toThrow('killed')
      expect(delivered()).toEqual(ids)
    }
    // Lines of another view came after.
    appendFileSync(file, '{"id":"other/1"}\n')
    expect(await deliver(fileTarget(file, disk))).toEqual({ delivered: 6, last: ids[5] })
    expect(delivered()).toEqual([...ids, 'other/1'])
  })

  test('has what was written before the process died completed, at whichever byte that was', async () => {
    await expect(deliver(fileTarget(file, disk), {}, killedAfter(0))).rejects.toThrow('killed')
    const text = readFileSync(file, 'utf8')
    const first = text.indexOf('\n') + 1
    for (const bytes of [0, 1, 20, first - 1, first, first + 1, first + 150, text.length - 1, text.length]) {
      writeFileSync(file, text.slice(0, bytes))
      await expect(deliver(fileTarget(file, disk), {}, killedAfter(0))).rejects.toThrow('killed')
      expect(readFileSync(file, 'utf8')).toBe(text)
    }
    writeFileSync(file, `{"id":"other/1"}\n${text.slice(0, 30)}`)
    await deliver(fileTarget(file, disk))
    expect(delivered()).toEqual(['other/1', ...ids])
  })

  test('is flushed once for many notices, and only then is it noted that they were delivered', async () => {
    const steps: string[] = []
    const watched: Disk = {
      ...disk,
      appendLines: (path, lines, mayBeThere) => {
        steps.push(`${lines.length} lines`)
        disk.appendLines(path, lines, mayBeThere)
      },
      rename: (from, to) => {
        steps.push('cursor')
        disk.rename(from, to)
      },
    }
    await deliver({ ...fileTarget(file, watched), batchMax: 4 }, {}, watched)
    expect(steps).toEqual(['4 lines', 'cursor', '2 lines', 'cursor'])
    expect(delivered()).toEqual(ids)
  })

  test('that ends within a line of someone else is left as it is', async () => {
    writeFileSync(file, '{"other":')
    await expect(deliver(fileTarget(file, disk))).rejects.toThrow(
      `Cannot add a line to ${file}: expected it to end with a whole line, found "{\\"other\\":" at its end.`,
    )
    expect(readFileSync(file, 'utf8')).toBe('{"other":')
    appendFileSync(file, '1}\n')
    expect((await deliver(fileTarget(file, disk))).delivered).toBe(6)
  })

  test('is told by one process at a time, which another one names', async () => {
    const release = Promise.withResolvers<void>()
    const target = fileTarget(file, disk)
    const slow = { ...target, deliver: () => release.promise }
    const first = deliver(slow)
    const lock = notifyingPath(view.out, 'cases', target)
    await expect(deliver(target)).rejects.toThrow(
      `Cannot deliver to file:${file}: expected that no other process does so, found ${lock}, held by process ${process.pid}`,
    )
    expect(delivered()).toEqual([])
    release.resolve()
    expect((await first).delivered).toBe(6)
    expect(existsSync(lock)).toBe(false)
  })

  test('in a folder that is not there is told', async () => {
    const missing = join(folder.path, 'missing', 'notices.jsonl')
    await expect(deliver(fileTarget(missing, disk))).rejects.toThrow(OutputError)
    await expect(deliver(fileTarget(missing, disk))).rejects.toThrow(`Cannot write ${missing}`)
  })
})

describe('a command', () => {
  test('gets one notice on its standard input each time', async () => {
    await deliver(commandTarget(`cat >> '${file}'`, 5000))
    expect(delivered()).toEqual(ids)
  })

  test('is run again where it fails, and in the end the notice is named', async () => {
    const command = `echo x >> '${file}'; exit 3`
    await expect(deliver(commandTarget(command, 5000))).rejects.toThrow(
      `Cannot deliver notice ${ids[0]} to command:${command}: it ended with 3 (tried 3 times).`,
    )
    expect(readFileSync(file, 'utf8')).toBe('x\nx\nx\n')
  })

  test('that does not end is ended', async () => {
    await expect(deliver(commandTarget(`sleep 2; echo x >> '${file}'`, 100), { retries: 0 })).rejects.toThrow(
      'it did not end within 0.1 s (tried once)',
    )
    await setTimeout(2500)
    expect(existsSync(file)).toBe(false)
  })

  test('that interrupts the process which notifies is the last, and it is told how many were delivered', () => {
    const command = `cat >> '${file}'; test $(wc -l < '${file}') -lt 3 || { kill -INT $PPID; sleep 5; }`
    const { exitCode, stdout, stderr } = refold(['notify', 'cases', '--out', view.out, '--command', command, '--json'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' })
    expect(stderr).toContain('2 notices of view cases delivered before it stopped.')
    expect(delivered()).toEqual(ids.slice(0, 3))
  })

  test('that kills the process which notifies leaves the rest to the next run', () => {
    const marker = `${file}.killed`
    const command = `cat >> '${file}'; test -e '${marker}' || { touch '${marker}'; kill -9 $PPID; }`
    const parameters = ['notify', 'cases', '--out', view.out, '--command', command, '--json']
    expect(refold(parameters).exitCode).toBeNull()
    expect(delivered()).toEqual(ids.slice(0, 1))
    const again = refold(parameters)
    expect({ exitCode: again.exitCode, ...JSON.parse(again.stdout) }).toEqual({
      exitCode: 0,
      view: 'cases',
      delivered: 6,
      last: ids[5],
    })
    expect(delivered()).toEqual([ids[0], ...ids])
  })
})

describe('a webhook', () => {
  let server: Server
  let url: string
  let received: { id: string; key: string | undefined }[]
  /** Answers the next requests; 200 where there is none. */
  let answers: ((response: ServerResponse) => void)[]

  beforeEach(async () => {
    received = []
    answers = []
    server = createServer((request, response) => void answer(request, response))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/corrections?token=t`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string }
    received.push({ id, key: request.headers['idempotency-key'] as string | undefined })
    expect([request.method, request.headers['content-type']]).toEqual(['POST', 'application/json'])
    const next = answers.shift()
    if (next === undefined) response.writeHead(204).end()
    else next(response)
  }

  const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end('a body')

  test('gets one request for each notice, whose id is the key of idempotency', async () => {
    expect((await deliver(webhookTarget(url, 5000))).delivered).toBe(6)
    expect(received).toEqual(ids.map((id) => ({ id, key: id })))
  })

  test('is asked again where it fails, breaks off or does not answer', async () => {
    answers = [status(503), (response) => void response.destroy()]
    expect((await deliver(webhookTarget(url, 5000))).delivered).toBe(6)
    expect(received.map(({ id }) => id)).toEqual([ids[0], ids[0], ...ids])
  })

  test('that never takes a notice is named with its last answer, and later gets all that it missed', async () => {
    answers = [status(200), status(500), status(429), status(503)]
    await expect(deliver(webhookTarget(url, 5000))).rejects.toThrow(
      `Cannot deliver notice ${ids[1]} to webhook:${url}: it answered 503 (tried 3 times). It and all after it are delivered when notify is run again.`,
    )
    received = []
    expect((await deliver(webhookTarget(url, 5000))).delivered).toBe(5)
    expect(received.map(({ id }) => id)).toEqual(ids.slice(1))
  })

  test.each([400, 302])('that answers %i is not asked again', async (code) => {
    answers = [status(code)]
    await expect(deliver(webhookTarget(url, 5000))).rejects.toThrow(`it answered ${code} (tried once)`)
    expect(received).toHaveLength(1)
  })

  test('that is silent is given up after its time', async () => {
    answers = [() => {}, () => {}]
    await expect(deliver(webhookTarget(url, 50), { retries: 1 })).rejects.toThrow(
      'it did not answer within 0.05 s (tried 2 times)',
    )
  })

  test('that nobody listens at is told', async () => {
    server.close()
    await expect(deliver(webhookTarget(url, 5000), { retries: 0 })).rejects.toThrow(/ECONNREFUSED/)
  })

  test('is asked no more once the work is interrupted', async () => {
    const interruption = new AbortController()
    const { signal } = interruption
    answers = [
      (response) => {
        response.on('close', () => setTimeout(50).then(() => interruption.abort()))
        status(500)(response)
      },
    ]
    await expect(deliver(webhookTarget(url, 5000), { waitMs: 60_000, signal })).rejects.toThrow(/abort/i)
    expect(received).toHaveLength(1)
  })
})

describe('what was delivered', () => {
  test('is noted for each target by itself, under a name that does not tell it', async () => {
    await deliver(fileTarget(file, disk))
    const other = `${file}.other`
    expect((await deliver(fileTarget(other, disk))).delivered).toBe(6)
    const names = readdirSync(join(view.out, 'cases')).filter((name) => name.startsWith('_notified-'))
    expect(names.every((name) => /^_notified-[0-9a-f]{12}\.json$/.test(name))).toBe(true)
  })

  test('is told where the note of it is damaged', async () => {
    const target = fileTarget(file, disk)
    await deliver(target)
    const path = cursorPath(view.out, 'cases', target.name)
    for (const text of [
      '',
      '{',
      'null',
      '{"generation":"x","row":0}',
      '{"generation":"000001-0123456789ab","row":-1}',
    ]) {
      writeFileSync(path, text)
      await expect(deliver(target)).rejects.toThrow(`Cannot use ${path}: expected the last notice that was delivered`)
    }
  })

  test('is never a notice of a generation that no reader saw', async () => {
    const own = correctedView(join(folder.path, 'unseen'))
    own.setLog(events)
    await own.publish(1)
    const second = await own.publish(2)
    const current = readFileSync(join(own.out, 'cases/_current.json'))
    const third = await own.publish(3)
    // As if the process had been killed before it switched.
    writeFileSync(join(own.out, 'cases/_current.json'), current)
    expect(publishedGenerations(own.out, 'cases', 0, disk).manifests.map(({ generation }) => generation)).not.toContain(
      third.generation,
    )
    expect(publishedGenerations(own.out, 'cases', 0, disk).manifests.at(-1)!.generation).toBe(second.generation)
  })
})
