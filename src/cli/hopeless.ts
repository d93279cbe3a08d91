/** Designs that hang or fill the memory: each further exploration would take as long to fail. */
import { JobError, type Pool } from './pool.ts'
import type { DesignSource, JobKind, Jobs } from './protocol.ts'

/** Jobs about one design. */
type DesignJob = {
  [K in JobKind]: Jobs[K]['input'] extends { readonly design: DesignSource } ? K : never
}[JobKind]

export class HopelessDesigns {
  /** How each of them failed. */
  private readonly known = new Map<DesignSource, JobError>()

  /**
   * Has a worker do a job, unless its design has turned out to be hopeless.
   * @throws JobError
   */
  async run<K extends DesignJob>(
    pool: Pool,
    kind: K,
    input: Jobs[K]['input'],
    urgency?: number,
  ): Promise<Jobs[K]['output']> {
    const { design } = input
    const known = this.known.get(design)
    if (known !== undefined) throw known
    try {
      return await pool.run(kind, input, urgency)
    } catch (error) {
      if (error instanceof JobError && (error.fault === 'silent' || error.fault === 'memory')) {
        this.known.set(design, error)
        pool.cancel(({ input: other }) => 'design' in other && other.design === design, error)
      }
      throw error
    }
  }
}
