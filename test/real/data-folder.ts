/** Where real data lies where there is any, relative to the repository. */
export const realDataFolder = '../shared/data'
