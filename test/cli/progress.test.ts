import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { showProgress } from '../../src/cli/progress.ts'
import type { Progress } from '../../src/model/report.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function stream(isTTY: boolean): NodeJS.WriteStream & { text(): string } {
  const written: string[] = []
  const made = new PassThrough().on('data', (chunk) => written.push(String(chunk)))
  return Object.assign(made, { isTTY, columns: 80, text: () => written.join('') }) as never
}

const at = (stage: Progress['stage'], done: number): Progress => ({
  stage,
  done,
  total: 1000,
  unit: 'events',
  bytes: done * 100,
})

/** What a terminal shows in the end: carriage returns go back, `ESC [K` and `ESC [2K` erase. */
function screen(text: string): string[] {
  const lines = ['']
  let column = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is made of them
  for (const [token] of text.matchAll(/\u001b\[2?K|[\s\S]/gu)) {
    const line = lines.at(-1)!
    if (token === '\u001b[2K') lines[lines.length - 1] = ''
    else if (token === '\u001b[K') lines[lines.length - 1] = line.slice(0, column)
    else if (token === '\r') column = 0
    else if (token === '\n') column = lines.push('') * 0
    else lines[lines.length - 1] = line.slice(0, column).padEnd(column) + token + line.slice(++column)
  }
  return lines
}

test('the bar never hides a line that is written while it stands', () => {
  const stderr = stream(true)
  const stdout = stream(false)
  const progress = showProgress(stderr, stdout, false)
  progress.update(at('map', 0))
  vi.advanceTimersByTime(500)
  progress.update(at('map', 500))
  vi.advanceTimersByTime(200)
  expect(screen(stderr.text()).at(-1)).toContain('500 of 1,000 events, 50 %, 800 events/s')
  stderr.write('first line\n')
  vi.advanceTimersByTime(500)
  stderr.write('second ')
  vi.advanceTimersByTime(500)
  progress.update(at('reduce', 10))
  expect(screen(stderr.text()).at(-1)).toBe('second ')
  stderr.write('line\n')
  vi.advanceTimersByTime(500)
  expect(screen(stderr.text())).toEqual(['first line', 'second line', expect.stringContaining('reduce')])
  progress.finish()
  expect(screen(stderr.text())).toEqual(['first line', 'second line', ''])
  expect(stdout.text()).toBe('')
})

test('the bar fits the terminal and gives the stream back when it ends', () => {
  const stderr = stream(true)
  const { write } = stderr
  const progress = showProgress(stderr, stderr, false)
  stderr.columns = 30
  progress.update(at('map', 0))
  vi.advanceTimersByTime(500)
  expect(screen(stderr.text()).at(-1)!.length).toBeLessThan(30)
  progress.finish()
  expect(stderr.write).toBe(write)
  expect(vi.getTimerCount()).toBe(0)
})

test('where there is no terminal, a line comes every five seconds', () => {
  const stderr = stream(false)
  const progress = showProgress(stderr, stderr, false)
  for (let done = 0; done <= 1000; done += 100) {
    progress.update(at('map', done))
    vi.advanceTimersByTime(1000)
  }
  progress.finish()
  expect(stderr.text()).toBe(
    'map: 500 of 1,000 events, 50 %, 100 events/s, 10 kB/s, 5.00 s left\nmap: 1,000 of 1,000 events, 100 %, 100 events/s, 10 kB/s\n',
  )
})

test('nothing is shown with --quiet', () => {
  const stderr = stream(true)
  const progress = showProgress(stderr, stderr, true)
  progress.update(at('map', 10))
  progress.finish()
  expect(stderr.text()).toBe('')
})
