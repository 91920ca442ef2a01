import type { FaultKind } from './fault-kind.ts'
import { cut, delay, halfClose, reset, stall } from './wire-steps.ts'

/**
 * Faults of the connection. Each list of steps is one fault; further steps of it hit what follows the first,
 * such as the question.
 */
export const WIRE_KINDS: readonly FaultKind[] = [
  {
    name: 'cut at any byte',
    by: 'proxy',
    faultsPerCase: 8,
    steps: [
      cut('anything sent', 'some'),
      cut('any answer', 'some'),
      reset('anything sent', 'some'),
      reset('any answer', 'some'),
    ],
  },
  {
    name: 'cut at BEGIN',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [
      cut('BEGIN'),
      cut('BEGIN', 'some'),
      cut('BEGIN', 'all'),
      [...cut('BEGIN'), ...reset('start-up', 'some')],
    ],
  },
  {
    name: 'cut in the data',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('data'), cut('data', 'some'), cut('data', 'all'), reset('data', 'some')],
  },
  {
    name: 'cut before the answer to data',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('end of data'), cut('end of data', 'all'), cut('answer to data'), reset('answer to data')],
  },
  {
    name: 'COMMIT does not arrive',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('COMMIT'), cut('COMMIT', 'some'), reset('COMMIT'), reset('COMMIT', 'some')],
  },
  {
    name: 'answer to COMMIT is lost',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [
      cut('COMMIT', 'all'),
      reset('COMMIT', 'all'),
      cut('answer to COMMIT'),
      cut('answer to COMMIT', 'some'),
      cut('answer to COMMIT', 'all'),
    ],
  },
  {
    name: 'one round trip is cut',
    by: 'proxy',
    faultsPerCase: 8,
    needs: { checkpoint: false, badRows: false, pace: 'trickle' },
    steps: [
      cut('data', 'some'),
      cut('end of data'),
      cut('end of data', 'all'),
      cut('COMMIT', 'some'),
      cut('COMMIT', 'all'),
      cut('answer to data', 'all'),
      cut('answer to COMMIT'),
      cut('answer to COMMIT', 'all'),
      cut('answer to the next BEGIN'),
      cut('answer to the next BEGIN', 'all'),
      reset('answer to the next BEGIN', 'some'),
      stall('answer to COMMIT'),
    ],
  },
  {
    name: 'the question is cut, too',
    by: 'proxy',
    faultsPerCase: 4,
    steps: [
      [...cut('answer to COMMIT'), ...cut('question')],
      [...cut('COMMIT'), ...cut('question', 'all')],
      [...cut('answer to COMMIT'), ...cut('question', 'some'), ...cut('start-up', 'some')],
    ],
  },
  {
    name: 'cut at the checkpoint',
    by: 'proxy',
    faultsPerCase: 5,
    needs: { checkpoint: true },
    steps: [
      cut('checkpoint lock'),
      cut('checkpoint lock', 'all'),
      cut('checkpoint store'),
      cut('checkpoint store', 'all'),
    ],
  },
  {
    name: 'cut among bad rows',
    by: 'proxy',
    faultsPerCase: 5,
    needs: { badRows: true },
    steps: [
      cut('ROLLBACK'),
      cut('ROLLBACK', 'all'),
      cut('savepoint'),
      cut('savepoint', 'all'),
      cut('dead letters'),
      cut('dead letters', 'all'),
      cut('answer to COMMIT'),
    ],
  },
  {
    name: 'half-open',
    by: 'proxy',
    faultsPerCase: 3,
    steps: [
      stall('data', 'some'),
      stall('end of data', 'all'),
      stall('COMMIT'),
      stall('COMMIT', 'all'),
      stall('BEGIN', 'all'),
      [...cut('data'), ...stall('start-up')],
      [...stall('answer to COMMIT'), ...stall('question')],
    ],
  },
  {
    name: 'half-closed',
    by: 'proxy',
    faultsPerCase: 4,
    steps: [
      halfClose('data', 'all'),
      halfClose('COMMIT', 'all'),
      halfClose('COMMIT'),
      halfClose('any answer', 'all'),
    ],
  },
  {
    name: 'slow',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [delay('any answer'), delay('answer to COMMIT'), delay('data'), delay('COMMIT')],
  },
]
