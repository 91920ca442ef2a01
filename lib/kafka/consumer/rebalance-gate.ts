/**
 * Closed while the group shares its partitions out anew. A commit that comes in between is refused, upon which the client
 * joins once more, and so has everybody begin again: members that commit much would not come to rest.
 */
export class RebalanceGate {
  #closed: { readonly done: Promise<void>; readonly open: () => void } | undefined

  close(): void {
    if (this.#closed) return
    let open = (): void => {}
    const done = new Promise<void>(resolve => {
      open = resolve
    })
    this.#closed = { done, open }
  }

  open(): void {
    this.#closed?.open()
    this.#closed = undefined
  }

  /** Resolves once it is open. */
  async passed(): Promise<void> {
    await this.#closed?.done
  }
}
