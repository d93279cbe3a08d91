/** Archives in the "new ASCII" format of cpio, which the kernel unpacks as its first file system. */

export interface Entry {
  /** Without a leading slash. */
  readonly path: string
  readonly content: Buffer
  /** As in `st_mode`; a folder or a file. */
  readonly mode: number
}

const FOLDER = 0o040755

/** An archive of files; the folders that they lie in come before them. */
export function archive(files: readonly Entry[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => parents(path)))
  const entries = [
    ...[...folders].map((path) => ({ path, content: Buffer.alloc(0), mode: FOLDER })),
    ...files,
    { path: 'TRAILER!!!', content: Buffer.alloc(0), mode: 0 },
  ]
  return Buffer.concat(entries.flatMap((entry, i) => record(entry, i + 1)))
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** Header, name and content, each padded to four bytes. */
function record({ path, content, mode }: Entry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`)
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(content)]
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
