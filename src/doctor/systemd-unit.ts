// How the systemd unit is, where there is one.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** The guide's name, and the other one that it has. */
const UNITS = ['flow-proxy-plugin.service', 'flow-proxy.service'];
/** There when systemd is what started this machine: sd_booted(3). */
const BOOTED = '/run/systemd/system';
const ASK_MS = 5_000;
const PROPERTIES = 'Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,MainPID';

export async function checkUnit(): Promise<Finding> {
  if (!existsSync(BOOTED)) return ok('systemd', 'this machine does not run on systemd');
  try {
    const states = await Promise.all(UNITS.map(show));
    const loaded = states.find((state) => !state.includes('LoadState=not-found'));
    if (loaded === undefined) return ok('systemd', `no unit ${UNITS[0]} is installed`);
    return judgeUnit(loaded);
  } catch (cause) {
    return warn('systemd', `systemctl cannot be asked: ${messageOf(cause)}`, 'run this as root');
  }
}

/** @param show what `systemctl show` printed: NAME=VALUE lines */
export function judgeUnit(show: string): Finding {
  const found = new Map(show.split('\n').map((line): [string, string] => splitLine(line)));
  const state = (name: string): string => found.get(name) ?? '';
  // Not a second name of it: journalctl and `systemctl enable` know the first only.
  const unit = state('Id');
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
