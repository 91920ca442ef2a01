/**
 * The settings of a single broker that is its own controller, made for tests: nothing waits that need not.
 */
export function brokerSettings(
  ports: { broker: number; controller: number },
  dataDir: string,
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.broker}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': dataDir,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    // a topic that was deleted is not created again by a client that asks for it
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': 0,
    // members that are killed are missed soon, if they ask for it
    'group.min.session.timeout.ms': 100,
    // after a SIGKILL the controller lets the same broker in again only when its old session is over
    'broker.session.timeout.ms': 1000,
    'broker.heartbeat.interval.ms': 200,
  }
}
