/** The words of the language, and what is left for names. */

import { ACTORS, FAILURES, VERDICTS } from './ast.ts'

export const DECLARATIONS = ['page', 'zero', 'actor', 'process', 'never', 'always', 'sometimes', 'expect']
export const STATEMENTS = [
  'fork',
  'exit',
  'waitpid',
  'pin',
  'release',
  'unmap',
  'dontneed',
  'mprotect',
  'pageout',
  'reclaim',
  'merge',
  'unmerge',
  'clear_refs',
  'signal',
  'wait',
]
export const PIN_OPTIONS = ['read', 'write', 'get', 'pin', 'longterm', 'fast']
export const OUTCOMES = [...VERDICTS, ...FAILURES, 'holds', 'violated']

/** None of these can be a name, so that a mistake in a statement never makes another valid one. */
export const KEYWORDS = new Set([
  'test',
  'thread',
  'for',
  'with',
  'on',
  'and',
  'or',
  'not',
  ...DECLARATIONS,
  ...ACTORS,
  ...STATEMENTS,
  ...PIN_OPTIONS,
])

/** What people who know the kernel are likely to write, and what it is called here. */
export const SYNONYMS = new Map([
  ['clone', 'fork'],
  ['vfork', 'fork'],
  ['madvise', 'dontneed'],
  ['madv_dontneed', 'dontneed'],
  ['madv_pageout', 'pageout'],
  ['swap', 'pageout'],
  ['swapout', 'pageout'],
  ['shrink', 'reclaim'],
  ['memory.reclaim', 'reclaim'],
  ['kswapd', 'reclaim'],
  ['ksm', 'merge'],
  ['ksmd', 'merge'],
  ['madv_mergeable', 'merge'],
  ['mergeable', 'merge'],
  ['madv_unmergeable', 'unmerge'],
  ['soft_dirty', 'clear_refs'],
  ['get_user_pages', 'pin'],
  ['gup', 'pin'],
  ['unpin', 'release'],
  ['put', 'release'],
  ['put_page', 'release'],
  ['exit_group', 'exit'],
  ['wait4', 'waitpid'],
  ['foll_get', 'get'],
  ['foll_pin', 'pin'],
  ['foll_write', 'write'],
  ['foll_longterm', 'longterm'],
])

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A register: the only kind of name that is not declared. */
export const REGISTER = /^r[0-9]+$/

/** Reports and programs made from a test are files of that name, so it can be neither `..` nor an option. */
export const TEST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

export const VALUE = /^[0-9]$/
