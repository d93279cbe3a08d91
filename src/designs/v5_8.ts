/** v5.8: whoever takes a reference breaks COW first. */
import { extend } from './design.ts'
import { v5_7 } from './v5_7.ts'

export const v5_8 = extend(v5_7, {
  name: 'v5.8',
  title: 'Linux v5.8 (August 2020): a reference breaks COW as a write would',
  belief:
    'A reference to a private page, even one for reading, is taken as if for writing: the process first ' +
    'gets a page of its own, so what it then shares is nobody else’s. Mapcounts still decide write faults, ' +
    'and nothing stops a later fork from sharing the page.',
  sources: [
    { what: 'gup: document and work around "COW can break either way" issue', where: '17839856fd58' },
  ],
  rules: { gup_flags: (flags) => ({ ...flags, write: true }) },
  because: {
    gup_flags:
      'every reference to private memory takes a write fault first, even one for reading (17839856fd58)',
  },
})
