/** v6.12: what was left of v6.1's gaps is closed, and exclusive pages cost fewer faults. */
import type { GupFlags } from '../mm/machine.ts'
import type { Circumstance } from './design.ts'
import { extend } from './design.ts'
import { v6_1 } from './v6_1.ts'

export const v6_12 = extend(v6_1, {
  name: 'v6.12',
  title: 'Linux v6.12 (November 2024): long-term pins break COW early, of the zero page too',
  belief:
    'As v6.1. Whoever pins for long gets a page of the process’s own even at memory that nobody has written, so ' +
    'that the owner’s first write is seen; a pin for reading for a short time need not see later writes. An ' +
    'exclusive page may be mapped writable before it is written: by swap-in and by mprotect. Page faults lock ' +
    'their area alone. Read in 6.12.117.',
  sources: [
    {
      what: 'mm: extend FAULT_FLAG_UNSHARE support to anything in a COW mapping (v6.2)',
      where: '8d6a0ac09a16',
    },
    { what: 'mm/gup: reliable R/O long-term pinning in COW mappings (v6.2)', where: '84209e87c696' },
    {
      what: 'mm/ksm: fix KSM COW breaking with userfaultfd-wp via FAULT_FLAG_UNSHARE (v6.2)',
      where: '6cce3314b928',
    },
    {
      what: 'mm/mprotect: allow clean exclusive anon pages to be writable (v6.2)',
      where: 'd84887739d5c',
    },
    {
      what: 'mm: swap: reuse exclusive folio directly instead of wp page faults (v6.11)',
      where: 'c18160dba5ff',
    },
    { what: 'x86/mm: try VMA lock-based page fault handling first (v6.4)', where: '0bff0aaea03e' },
    { what: 'fork: lock VMAs of the parent process when forking (v6.5)', where: 'fb49c455323f' },
  ],
  rules: {
    zero_page_unshared: true,
    unmerge_unshares: true,
    mprotect_restores_clean: true,
    swap_in_writable: true,
    per_vma_locks: true,
    fork_locks_vmas: true,
  },
  because: {
    per_vma_locks: 'a user’s page fault holds the lock of its area and not mmap_lock (0bff0aaea03e)',
    fork_locks_vmas:
      'fork locks each area of the parent before it copies its page table, so that no fault gets between write protection and flush (fb49c455323f)',
    zero_page_unshared:
      'a long-term FOLL_PIN for reading at the zero page unshares it first, and that gives the process a page of its own (84209e87c696, 8d6a0ac09a16)',
    unmerge_unshares:
      'MADV_UNMERGEABLE copies by unsharing faults, which leave the copy read-only (6cce3314b928)',
    mprotect_restores_clean:
      'mprotect makes the entry of an exclusive page writable again even if it is clean (d84887739d5c)',
    swap_in_writable: 'a read fault that swaps an exclusive page in maps it writable (c18160dba5ff)',
  },
  // A comment of 84209e87c696: short-term pinning for reading does not mean to see what the process writes later.
  promises: ({ pin, write, longterm }: GupFlags, circumstance: Circumstance) =>
    pin ? write || longterm : write && circumstance !== 'later-fork',
})
