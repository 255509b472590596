// flow-proxy as ops/install.sh installs it, inside the rig, in front of a simulated upstream of the test's own.
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import {
  generateCredentials,
  type SimulatedUpstream,
  startSimulatedUpstream,
} from '../../ops/simulated-upstream/server.ts';
import { eventually } from '../harness/eventually.ts';
import { root } from '../harness/root.ts';
import { attempt, run } from './shell.ts';

export const UNIT = 'flow-proxy-plugin';
export const URL = 'http://127.0.0.1:8899';
export const ENV_FILE = '/etc/flow-proxy/flow-proxy.env';
export const SECRETS = '/root/secrets.json';

/** Starts the upstream and writes its credentials where `install.sh --secrets` can take them. */
export async function prepareUpstream(): Promise<SimulatedUpstream> {
  const credentials = generateCredentials(3).map((one, index) => ({
    ...one,
    name: `credential-${index + 1}`,
  }));
  await writeFile(SECRETS, JSON.stringify(credentials), { mode: 0o600 });
  return startSimulatedUpstream({ credentials });
}

export function install(...options: readonly string[]): Promise<string> {
  return run(`${root('ops/install.sh')} ${options.join(' ')}`);
}

/** Points what is installed to the upstream, gives it the credentials, and starts it. */
export async function serve(upstream: SimulatedUpstream): Promise<void> {
  await addSettings(
    `FLOW_PROXY_TARGET_URL=${upstream.url}`,
    'FLOW_PROXY_UPSTREAM_PROXY=none',
    'FLOW_PROXY_NUM_WORKERS=2',
  );
  await install('--secrets', SECRETS);
}

/** Adds lines to the environment file of the service; the last one for a variable counts. */
export function addSettings(...lines: readonly string[]): Promise<void> {
  return appendFile(ENV_FILE, `${lines.join('\n')}\n`);
}

/** A drop-in of the unit, as `systemctl edit` makes it. */
export async function dropIn(name: string, content: string): Promise<void> {
  const folder = `/etc/systemd/system/${UNIT}.service.d`;
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/${name}.conf`, content);
  await run('systemctl daemon-reload');
}

export async function removeDropIn(name: string): Promise<void> {
  await run(`rm /etc/systemd/system/${UNIT}.service.d/${name}.conf && systemctl daemon-reload`);
}

/** A property of the unit as systemd sees it. */
export function property(name: string): Promise<string> {
  return run(`systemctl show --property ${name} --value ${UNIT}`);
}

export async function primaryPid(): Promise<number> {
  return Number(await property('MainPID'));
}

export async function workerPids(): Promise<number[]> {
  const pid = await primaryPid();
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** Resolves when the service answers to systemd as active, and is not the process it was. */
export async function untilActive(otherThanPid = 0): Promise<number> {
  return eventually(
    'the service became active again',
    async () => {
      const { stdout } = await attempt(`systemctl is-active ${UNIT}`);
      const pid = await primaryPid();
      return stdout === 'active' && pid !== 0 && pid !== otherThanPid ? pid : undefined;
    },
    60_000,
  );
}

/**
 * Resolves when the journal of the unit says this: lines come to it by themselves, and later.
 * @param pid of the process that is to have said it
 */
export async function inJournal(pattern: RegExp, pid?: number): Promise<void> {
  const lines = pid === undefined ? `-u ${UNIT}` : `_PID=${pid}`;
  await eventually(`${pattern} in the journal`, async () =>
    pattern.test(await run(`journalctl ${lines} -n 100`)) ? true : undefined,
  );
}

/** Resolves when systemd has taken in what the service tells of itself. */
export async function saysOfItself(pattern: RegExp): Promise<void> {
  await eventually(`${pattern} as the status text`, async () =>
    pattern.test(await property('StatusText')) ? true : undefined,
  );
}
