// What a reload has to do, found by comparing what is in use with what was loaded. Pure.
import { isDeepStrictEqual } from 'node:util';
import { NEEDS_RESTART, variableOf } from '../config/schema.ts';
import type { SettingName } from '../config/setting-values.ts';
import type { Configuration } from '../configuration.ts';
import type { Generation } from '../generation.ts';

export interface ReloadPlan {
  /** Why every worker has to be replaced; empty when none has. */
  readonly rollFor: readonly string[];
  /** Settings that the primary alone goes by. */
  readonly live: readonly string[];
  /** Variables that keep the value they had at the start. */
  readonly needRestart: readonly string[];
  /** As new workers get it: with the address of the start. */
  readonly generation: Generation;
}

/** What only the primary goes by. */
const PRIMARY_ONLY: ReadonlySet<SettingName> = new Set<SettingName>([
  'softMemoryMb',
  'minLifetime',
  'maxDraining',
]);

/** What these name is published to the workers as they are; their number is a matter of slots. */
const TAKEN_OVER_LIVE: ReadonlySet<SettingName> = new Set<SettingName>([
  'secretsFile',
  'clientKeysFile',
  'tlsCertFile',
  'tlsKeyFile',
  'numWorkers',
  'adminListen',
]);

/**
 * @param atStart the configuration that the service began with: some settings stay as they are there
 * @param used the one in use
 * @param loaded the one that is to be used
 */
export function planReload(
  atStart: Configuration,
  used: Configuration,
  loaded: Configuration,
  hasNewCode: boolean,
): ReloadPlan {
  const { host, port } = atStart.generation;
  const generation = { ...loaded.generation, host, port };
  const changed = changedSettings(used, loaded);
  const describe = (name: SettingName): string => `${variableOf(name)} ${change(name, used, loaded)}`;
  const settings = changed.filter((name) =>
    [NEEDS_RESTART, TAKEN_OVER_LIVE, PRIMARY_ONLY].every((others) => !others.has(name)),
  );
  const hasOtherContent = !isDeepStrictEqual(withoutNumber(used.generation), withoutNumber(generation));
  const rollFor = settings.map(describe);
  if (settings.length === 0 && hasOtherContent) rollFor.push('the files that settings name');
  if ((used.tls === null) !== (loaded.tls === null))
    rollFor.push(loaded.tls === null ? 'no HTTPS any more' : 'HTTPS from now on');
  if (hasNewCode) rollFor.push('new code on disk');
  const needRestart = changedSettings(atStart, loaded).filter((name) => NEEDS_RESTART.has(name));
  const live = changed.filter((name) => PRIMARY_ONLY.has(name)).map(describe);
  return { live, rollFor, needRestart: needRestart.map(variableOf), generation };
}

function changedSettings(before: Configuration, after: Configuration): SettingName[] {
  return after.effective
    .map(({ name }) => name)
    .filter((name) => shownValue(before, name) !== shownValue(after, name));
}

function change(name: SettingName, before: Configuration, after: Configuration): string {
  const shown = (configuration: Configuration): string => shownValue(configuration, name) || 'not set';
  return `${shown(before)} → ${shown(after)}`;
}

/** As it may be shown to anybody. */
function shownValue({ effective }: Configuration, name: SettingName): string {
  return effective.find((setting) => setting.name === name)?.value ?? '';
}

function withoutNumber(generation: Generation): Generation {
  return { ...generation, number: 0 };
}
