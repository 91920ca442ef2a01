/**
 * A gate that is closed while the group rebalances. Kafka rejects a commit during a rebalance; the client
 * then joins again, and with that starts another rebalance. A group whose members commit often would never
 * settle.
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

  /** Resolves when the gate is open. */
  async passed(): Promise<void> {
    await this.#closed?.done
  }
}
