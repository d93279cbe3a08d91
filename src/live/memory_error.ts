/** What the library throws; each has a class of its own, to be caught by. */

export class MemoryError extends Error {
  override readonly name: string = 'MemoryError'
}

/** An access to an address that no area covers, or that its area does not permit. */
export class SegmentationFault extends MemoryError {
  override readonly name = 'SegmentationFault'
  constructor(
    /** Where, in bytes. */
    readonly address: number,
    readonly access: 'read' | 'write',
  ) {
    super(
      `${access} at address ${address}: nothing is mapped there that may be ${access === 'read' ? 'read' : 'written'}`,
    )
  }
}

/** No frame is free and none can be made so. Nothing has been changed by the operation. */
export class OutOfMemory extends MemoryError {
  override readonly name = 'OutOfMemory'
}

/** A system call that cannot be carried out as it was asked for. */
export class InvalidCall extends MemoryError {
  override readonly name = 'InvalidCall'
}

/** A pin that has been released already. */
export class NotPinned extends MemoryError {
  override readonly name = 'NotPinned'
  constructor() {
    super('this pin has been released; a reference is dropped once')
  }
}

/** A memory is used where it was not attached, or no longer is. */
export class NotAttached extends MemoryError {
  override readonly name = 'NotAttached'
}

/**
 * The memory is not what it should be: a step found something that must never be, or a worker has
 * ended in the middle of one. What it holds is not to be trusted, and nothing more is done with it.
 */
export class MemoryBroken extends MemoryError {
  override readonly name = 'MemoryBroken'
}
