// What an operator may change in a running service by its control socket: which credentials are used, and how much is
// logged. It holds until the service restarts; secrets.json and the settings stay as they are.
import { done, refused, type VerbReply } from '../control/reply.ts';
import type { LogLevel } from '../logging/logger.ts';
import type { Verb, VerbArgument } from './control-server.ts';
import type { Supervisor } from './supervisor.ts';

const LEVELS: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR'];
const UNTIL = 'this survives a reload, not a restart';

export function operatorVerbs(supervisor: Supervisor): Record<string, Verb> {
  return {
    'credential-disable': (argument) => onCredential(supervisor, argument, disable),
    'credential-enable': (argument) => onCredential(supervisor, argument, enable),
    'credential-reset': (argument) => onCredential(supervisor, argument, reset),
    'log-level': ({ level }) => setLogLevel(supervisor, level),
  };
}

type Change = (supervisor: Supervisor, name: string, argument: VerbArgument) => VerbReply;

function onCredential(supervisor: Supervisor, argument: VerbArgument, change: Change): VerbReply {
  const { name } = argument;
  const names = supervisor.pool.report().map((credential) => credential.name);
  if (typeof name === 'string' && names.includes(name)) return change(supervisor, name, argument);
  return refused(`there is no credential ${JSON.stringify(name ?? '')}; there are ${names.join(', ')}`);
}

/** Without the last one nothing can be answered: that wants to be said twice. */
function disable({ pool }: Supervisor, name: string, { force }: VerbArgument): VerbReply {
  const others = pool.report().filter((credential) => credential.name !== name && credential.isAvailable);
  const isLast = others.length === 0;
  const consequence = `no other credential is available: without ${name} every request is refused`;
  const isDisabled = pool.report().some((credential) => credential.name === name && credential.isDisabled);
  if (isDisabled) return done(`${name} was disabled already`);
  if (isLast && force !== true) return refused(consequence, ['--force disables it all the same']);
  pool.setDisabled(name, true);
  return done(
    `${name} is disabled: no new request uses it; ${UNTIL}`,
    isLast ? [`WARNING: ${consequence}`] : [],
  );
}

function enable({ pool }: Supervisor, name: string): VerbReply {
  if (pool.setDisabled(name, false) === undefined) return done(`${name} was enabled already`);
  const cooled = pool.report().some((credential) => credential.name === name && !credential.isAvailable);
  return done(
    `${name} is enabled`,
    cooled ? [`its cooldown goes on; \`credential reset ${name}\` ends it`] : [],
  );
}

function reset({ pool }: Supervisor, name: string): VerbReply {
  if (pool.reset(name) === undefined) return done(`${name} has no cooldown`);
  return done(`the cooldowns of ${name} are forgotten: it is used again at once`);
}

function setLogLevel(supervisor: Supervisor, asked: unknown): VerbReply {
  const level = LEVELS.find((word) => word === (typeof asked === 'string' ? asked.toUpperCase() : ''));
  if (level === undefined) return refused(`the level is one of ${LEVELS.join(', ')}`);
  supervisor.setLogLevel(level);
  return done(`${level} and above is logged, in every process; ${UNTIL}`);
}
