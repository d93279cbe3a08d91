/** What a live thread throws when it cannot go on. */

/** A step found something that must never be: the message is what the model says of it. */
export class LiveFailure extends Error {
  override readonly name = 'LiveFailure'
}

/** Whoever is in charge has ended the run: others have failed, or wait for ever, or have nothing more to do. */
export class Aborted extends Error {
  override readonly name = 'Aborted'
}
