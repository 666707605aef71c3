import { disk } from './disk.ts'
import type { Disk, StorageDescription } from './store.ts'

/** The storage that another thread described. */
export function openStorage({ kind }: StorageDescription): Disk {
  switch (kind) {
    case 'disk':
      return disk
  }
}
