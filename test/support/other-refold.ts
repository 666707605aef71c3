/** Stands for another copy of Refold. */
export const name = 'other'
