import type { OpenOptions, View } from './view.ts'

/**
 * Published views for programs. Job files import this module on every thread, so what it does is loaded when it is called.
 */

/**
 * Opens a generation of a published view.
 *
 * @param folder The folder of views that `rebuild` published into.
 * @param name The view's name; `<name>-vintages` for its vintages.
 * @returns The generation; call its `close()` when it is no longer needed.
 * @throws ConfigurationError where the view or the generation is not there, OutputError where its manifest is damaged.
 *
 * @example
 * ```ts
 * const balances = await openView('views', 'balances')
 * const [account] = await balances.get({ account_id: 'A-1017' })
 * for await (const row of balances.rows({ columns: ['account_id', 'balance'] })) console.log(row)
 * balances.close()
 * ```
 */
export async function openView(folder: string, name: string, options: OpenOptions = {}): Promise<View> {
  return (await import('./open-view.ts')).openGeneration(folder, name, options)
}

/** Names of the views that a folder holds, sorted; none where it holds none. */
export async function listViews(folder: string): Promise<readonly string[]> {
  return (await import('../storage/generations.ts')).listViews(folder)
}
