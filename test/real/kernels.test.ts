// Kernel images and the archive that a virtual machine starts from, as bytes.

import { describe, expect, it } from 'vitest'
import { archive } from '../../src/real/cpio.ts'
import { MachineFault } from '../../src/real/fault.ts'
import { bannerOf } from '../../src/real/kernels.ts'

function image(banner: string): Buffer {
  const bytes = Buffer.alloc(0x4000)
  bytes.write('HdrS', 0x202)
  bytes.writeUInt16LE(0x3000, 0x20e)
  bytes.write(`${banner}\0`, 0x3200)
  return bytes
}

describe('a kernel image', () => {
  it('says what it is', () => {
    expect(bannerOf(image('6.1.0-50-cloud-amd64 (debian) #1 SMP'), 'x')).toBe(
      '6.1.0-50-cloud-amd64 (debian) #1 SMP',
    )
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('no kernel\n'.repeat(2000))],
    ['an image without a version', image('')],
    ['an image whose version is a path', image('6.1/../../../x (nobody) #1')],
    ['a cut-off image', image('6.1.0 x').subarray(0, 0x300)],
  ])('is not %s', (_, bytes) => {
    expect(() => bannerOf(bytes, 'some-file')).toThrow(MachineFault)
    expect(() => bannerOf(bytes, 'some-file')).toThrow(/^some-file: this is not a kernel image/)
  })
})

describe('an archive', () => {
  it('has folders before what is in them, and an end', () => {
    const bytes = archive([
      { path: 'a/b/c', content: Buffer.from('hello'), mode: 0o100644 },
      { path: 'init', content: Buffer.from('x'), mode: 0o100755 },
    ])
    expect(names(bytes)).toEqual(['a', 'a/b', 'a/b/c', 'init', 'TRAILER!!!'])
    expect(bytes.length % 4).toBe(0)
  })
})

/** Reads an archive by its format's description (Documentation/driver-api/early-userspace/buffer-format.rst). */
function names(bytes: Buffer): string[] {
  const found: string[] = []
  const aligned = (n: number): number => Math.ceil(n / 4) * 4
  for (let at = 0; at < bytes.length; ) {
    const field = (i: number): number =>
      Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16)
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701')
    const length = field(11)
    found.push(bytes.toString('utf8', at + 110, at + 110 + length - 1))
    at = aligned(aligned(at + 110 + length) + field(6))
  }
  return found
}
