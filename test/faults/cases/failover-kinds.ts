import type { FaultKind, Needs } from './fault-kind.ts'

/** What the command does by itself. */
const COMMAND: Needs = {
  method: 'copy-binary',
  checkpoint: true,
  concurrency: 1,
  badRows: false,
  ownPool: true,
}

/** Standbys that are met or promoted. */
export const FAILOVER_KINDS: readonly FaultKind[] = [
  {
    name: 'standby met',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 3,
    needs: { retries: 'many' },
    acts: ['lead to the standby', 'lead to the standby', 'fail over'],
  },
  {
    name: 'failover, asynchronous',
    by: 'failover',
    replication: 'asynchronous',
    route: 'address',
    faultsPerCase: 1,
    // a pipeline that has failed before it reaches the standby knows of no commits
    needs: { checkpoint: true, retries: 'many' },
    acts: ['lose commits and fail over'],
  },
  {
    name: 'failover, asynchronous, no checkpoint',
    by: 'failover',
    replication: 'asynchronous',
    route: 'address',
    faultsPerCase: 1,
    needs: { checkpoint: false },
    acts: ['lose commits and fail over'],
  },
  {
    name: 'failover, synchronous',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 1,
    acts: ['fail over'],
  },
  {
    name: 'failover, wait cut short',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 1,
    needs: { checkpoint: false, timeoutMs: 10_000 },
    acts: ['cut the wait short and fail over'],
  },
  {
    name: 'failover, two hosts',
    by: 'failover',
    replication: 'synchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: { ownPool: true },
    acts: ['fail over'],
  },
  {
    name: 'failover, load --resume, asynchronous',
    by: 'failover',
    loader: 'command',
    replication: 'asynchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: COMMAND,
    acts: ['fail over'],
  },
  {
    name: 'failover, load --resume, synchronous',
    by: 'failover',
    loader: 'command',
    replication: 'synchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: COMMAND,
    acts: ['fail over'],
  },
  {
    name: 'failover, a name',
    by: 'failover',
    replication: 'synchronous',
    route: 'name',
    faultsPerCase: 3,
    needs: { ownPool: false },
    acts: ['forget the name', 'forget the name', 'fail over'],
  },
]
