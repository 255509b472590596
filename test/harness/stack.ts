// What most integration tests stand on: a simulated upstream and a flow-proxy in front of it, with the same credentials.
import {
  generateCredentials,
  type SimulatedCredential,
  type SimulatedUpstream,
  type SimulatedUpstreamOptions,
  startSimulatedUpstream,
} from '../../ops/simulated-upstream/server.ts';
import type { SecretsEntry } from './flow-process.ts';
import { type FlowProxy, type FlowProxyOptions, type Scope, startFlowProxy } from './flow-proxy.ts';

export interface StackOptions extends Partial<Omit<FlowProxyOptions, 'credentials'>> {
  /** Credentials, or how many to make; 3 by default. */
  readonly credentials?: number | readonly SecretsEntry[];
  readonly simulation?: Omit<SimulatedUpstreamOptions, 'credentials'>;
}

export class Stack {
  readonly upstream: SimulatedUpstream;
  readonly proxy: FlowProxy;
  readonly credentials: readonly SecretsEntry[];

  constructor(upstream: SimulatedUpstream, proxy: FlowProxy, credentials: readonly SecretsEntry[]) {
    this.upstream = upstream;
    this.proxy = proxy;
    this.credentials = credentials;
  }

  /** Forgets faults and requests; for between two tests. */
  reset(): void {
    this.upstream.setFaults([]);
    this.upstream.clearRequests();
  }

  async close(): Promise<void> {
    await this.proxy.end();
    await this.upstream.close();
  }
}

/** @param scope ends both; without one the caller has to call `close` */
export async function startStack(options: StackOptions = {}, scope?: Scope): Promise<Stack> {
  const { credentials: wanted = 3, simulation = {}, ...rest } = options;
  const credentials = typeof wanted === 'number' ? named(generateCredentials(wanted)) : wanted;
  const upstream = await startSimulatedUpstream({ ...simulation, credentials });
  try {
    const proxy = await startFlowProxy({ upstream: upstream.url, ...rest, credentials });
    const stack = new Stack(upstream, proxy, credentials);
    scope?.after(() => stack.close());
    return stack;
  } catch (cause) {
    await upstream.close();
    throw cause;
  }
}

function named(credentials: readonly SimulatedCredential[]): SecretsEntry[] {
  return credentials.map((credential, index) => ({ ...credential, name: `credential-${index + 1}` }));
}
