/**
 * The errors a caller would want to distinguish. Every message says what was attempted, where, what was expected, what
 * was found and, where it isn't obvious, what to do.
 */

/** A place in the input, as far as it is known. Row groups and rows count from 0; a row counts within its row group. */
export interface Place {
  readonly file?: string
  readonly rowGroup?: number
  readonly row?: number
  readonly column?: string
  readonly eventId?: string
  readonly view?: string
  readonly handler?: string
}

/** Base of all errors that Refold raises on purpose. `exitCode` is what the command line ends with. */
export class RefoldError extends Error {
  readonly exitCode: number = 1
  readonly place: Place
  constructor(message: string, place: Place = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.place = place
  }
}

/** The job, an option or an argument is wrong; nothing was read yet. Exit code 2. */
export class ConfigurationError extends RefoldError {
  override readonly exitCode: number = 2
}

/** The log can't be read or doesn't fit its declaration. Exit code 1. */
export class InputError extends RefoldError {}

/** A user's function threw or broke a rule of its view. Exit code 1. */
export class ViewError extends RefoldError {}

/** The same event id is in the log with different contents. Exit code 1. */
export class ConflictError extends RefoldError {}

/** The destination could not be written, or holds something that Refold didn't write. Exit code 1. */
export class OutputError extends RefoldError {}

/** `file, row group 3, row 17, column "amount"`: a place in words, for messages. */
export function describePlace(place: Place): string {
  const parts: string[] = []
  if (place.file !== undefined) parts.push(place.file)
  if (place.rowGroup !== undefined) parts.push(`row group ${place.rowGroup}`)
  if (place.row !== undefined) parts.push(`row ${place.row}`)
  if (place.column !== undefined) parts.push(`column "${place.column}"`)
  if (place.eventId !== undefined) parts.push(`event ${place.eventId}`)
  return parts.join(', ')
}
