// How the systemd unit is, where there is one.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Ours, and the name that the predecessor had. */
const UNITS = ['flow-proxy.service', 'flow-proxy-plugin.service'];
/** There when systemd is what started this machine: sd_booted(3). */
const BOOTED = '/run/systemd/system';
const ASK_MS = 5_000;
const PROPERTIES = 'LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,MainPID';

export async function checkUnit(): Promise<Finding> {
  if (!existsSync(BOOTED)) return ok('systemd', 'this machine does not run on systemd');
  try {
    const states = await Promise.all(UNITS.map(async (unit) => ({ unit, show: await show(unit) })));
    const loaded = states.find(({ show }) => !show.includes('LoadState=not-found'));
    if (loaded === undefined) return ok('systemd', `no unit ${UNITS[0]} is installed`);
    return judgeUnit(loaded.unit, loaded.show);
  } catch (cause) {
    return warn('systemd', `systemctl cannot be asked: ${messageOf(cause)}`, 'run this as root');
  }
}

/** @param show what `systemctl show` printed: NAME=VALUE lines */
export function judgeUnit(unit: string, show: string): Finding {
  const found = new Map(show.split('\n').map((line): [string, string] => splitLine(line)));
  const state = (name: string): string => found.get(name) ?? '';
  const restarts = Number(state('NRestarts'));
  const what = `${unit} is ${state('ActiveState')} (${state('SubState')})`;
  const journal = `\`journalctl -u ${unit} -n 100\` tells why`;
  if (state('LoadState') !== 'loaded') {
    return fail('systemd', `${unit} cannot be loaded: ${state('LoadState')}`, `\`systemctl cat ${unit}\``);
  }
  if (state('ActiveState') === 'failed') {
    const fix = `${journal}; then \`systemctl reset-failed ${unit}\` and \`systemctl start ${unit}\``;
    return fail('systemd', `${what}: ${state('Result')}`, fix);
  }
  if (state('ActiveState') !== 'active') return warn('systemd', what, `\`systemctl start ${unit}\``);
  if (restarts > 0) return warn('systemd', `${what}, but was restarted ${restarts} times`, journal);
  if (state('UnitFileState') === 'disabled') {
    return warn('systemd', `${what}, but will not start at boot`, `\`systemctl enable ${unit}\``);
  }
  return ok('systemd', `${what}, pid ${state('MainPID')}`);
}

async function show(unit: string): Promise<string> {
  const options = { timeout: ASK_MS, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
  const { stdout } = await promisify(execFile)(
    'systemctl',
    ['show', unit, `--property=${PROPERTIES}`],
    options,
  );
  return stdout;
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
