// What a configuration is loaded from: a folder of its own with valid secrets, for as long as the tests of a file run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { LoadInput } from '../../../src/config/load.ts';

const SECRETS = [{ name: 'one', clientId: 'client', clientSecret: 'secret-of-one', tenant: 'tenant' }];

/** @param environment settings by variable, without `FLOW_PROXY_` */
export function withConfiguration(environment: Readonly<Record<string, string>> = {}): LoadInput {
  const cwd = mkdtempSync(join(tmpdir(), 'flow-proxy-configuration-'));
  after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'secrets.json'), JSON.stringify(SECRETS), { mode: 0o600 });
  const variables = Object.entries(environment).map(([name, value]) => [`FLOW_PROXY_${name}`, value]);
  return { flags: {}, environment: Object.fromEntries(variables), envFile: undefined, cwd };
}
