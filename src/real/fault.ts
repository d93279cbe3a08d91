/** Why something cannot be done on this machine, in words for its user. */

/** The message says what, where and what to do. */
export class MachineFault extends Error {
  override readonly name = 'MachineFault'
}

/** What went wrong with a file or a program, without `Error:` and without a path. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or program'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'ENOSPC':
      return 'the disk is full'
    case 'EROFS':
      return 'this file system is read-only'
    default:
      return message
  }
}
