import { expect, it } from 'vitest'
import { checkAddressSpace } from '../../src/cli/address_space.ts'

const GIB = 2 ** 30

it('refuses threads that would take more address space than there is, and says what to do', () => {
  expect(() => checkAddressSpace(2, 1, 2 * GIB, 8 * GIB)).toThrow(
    '--workers 2 reserves up to 24.0 GiB of address space, and this process may have 8.0 GiB (ulimit -v)',
  )
  expect(() => checkAddressSpace(2, 3, GIB, 35 * GIB)).toThrow('36.0 GiB')
})

it('lets them where there is enough, and one thread always', () => {
  checkAddressSpace(2, 3, GIB, 36 * GIB)
  checkAddressSpace(2, 1, 2 * GIB, undefined)
  checkAddressSpace(1, 2, 2 * GIB, GIB)
})
