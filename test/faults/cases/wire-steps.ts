import type { Aim, WireStep } from './fault-kind.ts'

export const cut = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'cut', at, pass }]
export const reset = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'reset', at, pass }]
export const stall = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'stall', at, pass }]
export const halfClose = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [
  { do: 'half-close', at, pass },
]
export const delay = (at: Aim): WireStep[] => [{ do: 'delay', at, pass: 'none' }]
