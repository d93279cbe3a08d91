/** What is wrong with somebody's claims. The message names the file and the line, or the claim. */
export class ClaimsError extends Error {
  override readonly name = 'ClaimsError'
}
