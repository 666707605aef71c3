import { expect, test } from 'vitest'
import { inspectLog, loadJob, surveyJob, surveyLateness } from '../../src/index.ts'

const files = 'data/taiwan-backlog/*.parquet'

test('inspectLog() describes files by their footers', async () => {
  const report = await inspectLog(files)
  expect(report).toMatchObject({ name: files, rows: 170 })
  expect(report.columns.map(({ name }) => name)).toContain('report_date')
  expect(await inspectLog([files], 'cases')).toMatchObject({ name: 'cases', rows: 170 })
  await expect(inspectLog('data/none/*.parquet')).rejects.toThrow('data/none/*.parquet')
})

test('surveyJob() and surveyLateness() read the logs of a job', async () => {
  const job = await loadJob('jobs/taiwan-backlog.ts')
  try {
    const [survey] = await surveyJob(job)
    expect(survey).toMatchObject({ log: 'announcements', events: { events: 170, duplicates: 0 } })
    const [lateness] = await surveyLateness(job, ['1 day'])
    expect(lateness!.surveys[0]).toMatchObject({
      view: 'daily-cases',
      allowedLateness: '7 days',
      thresholds: [
        { threshold: '1 day', late: 103 },
        { threshold: '7 days', late: 24 },
      ],
    })
    await expect(surveyLateness(job, ['soon'])).rejects.toThrow('thresholds')
  } finally {
    job.dispose()
  }
})
