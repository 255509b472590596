// Asks a running flow-proxy by its control socket, as the command line does.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { askService } from '../../src/control/client.ts';
import { isVerbReply, type VerbReply } from '../../src/control/reply.ts';
import { isStatus, type ServiceStatus } from '../../src/control/status.ts';

/** Whatever has a control socket in its folder. */
export interface Controlled {
  readonly folder: string;
}

export async function statusOf({ folder }: Controlled): Promise<ServiceStatus> {
  const status = await askService([join(folder, 'control.sock')], 'status');
  if (!isStatus(status)) throw new Error(`no status: ${JSON.stringify(status)}`);
  return status;
}

/** The workers that serve now. */
export async function readyPids(service: Controlled): Promise<number[]> {
  const { workers } = await statusOf(service);
  return workers.filter(({ stage }) => stage === 'ready').map(({ pid }) => pid);
}

/** Reloads and waits for the outcome. */
export async function reload({ folder }: Controlled): Promise<VerbReply> {
  const reply = await askService([join(folder, 'control.sock')], 'reload', { wait: true });
  if (!isVerbReply(reply)) throw new Error(`no reply: ${JSON.stringify(reply)}`);
  return reply;
}

/** Adds a line to the .env file in its folder, which the next reload reads. */
export function setInEnvFile({ folder }: Controlled, setting: string, value: string | number): void {
  appendFileSync(join(folder, '.env'), `FLOW_PROXY_${setting}=${value}\n`);
}
