/** The yardstick: no private page is ever shared, so COW cannot go wrong. */
import type { Design } from './design.ts'
import { NO_RULES } from './no_rules.ts'

export const eager: Design = {
  name: 'eager',
  title: 'The yardstick: fork copies everything at once',
  belief:
    'Processes share no private memory, so nothing that one writes can reach another, and a reference always ' +
    'is to its owner’s page. What a program can observe here is what it is entitled to. Fork gives the child, ' +
    'for each word, some value that the word held during the call.',
  sources: [
    {
      what: 'fork: the child’s memory is a copy; no snapshot is promised to racing stores',
      where: 'POSIX.1-2017, fork()',
    },
    { what: 'MADV_DONTNEED: the next access finds zeros; a racing one may find either', where: 'madvise(2)' },
    {
      what: 'references are meant to show the page of the address space that they were taken on',
      where: 'Documentation/core-api/pin_user_pages.rst',
    },
  ],
  rules: { ...NO_RULES, shares_nothing: true, zero_page: false },
  because: {
    shares_nothing:
      'fork copies every page at once, and whoever looks for a page finds the one that is mapped at that moment',
    wp_can_reuse: 'a write fault always reuses the page, since it is never shared (no rule is needed)',
    zero_page: 'the first touch of a page gives it a frame of its own',
  },
  promises: () => true,
}
