import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'dotenv';
import { loadSettings, settingFlags } from '../../../src/config/load.ts';
import { effectiveTable, envExample, settingsTable } from '../../../src/config/print.ts';

/** The nearest folder above that is the repository, also from within dist/. */
function repositoryRoot(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package.json')) && existsSync(join(from, 'src'))) return from;
  assert.notEqual(dirname(from), from, 'the tests are outside the repository');
  return repositoryRoot(dirname(from));
}

const readRepositoryFile = (name: string): string => readFileSync(join(repositoryRoot(), name), 'utf8');
const FIX = 'run `npm run docs:settings`';

describe('.env.example', () => {
  it('is what the schema prints', () => {
    assert.equal(readRepositoryFile('.env.example'), envExample(), FIX);
  });

  it('changes nothing when it is copied as it is, and names every default when the # are taken out', () => {
    assert.deepEqual(parse(envExample()), {});
    const uncommented = parse(envExample().replace(/^# (FLOW_PROXY_\w+=)/gm, '$1'));
    const defaults = settingFlags().map((setting): [string, string] => [setting.variable, setting.default]);
    assert.deepEqual(uncommented, Object.fromEntries(defaults));
  });

  it('begins with the variables of the deployment guide', () => {
    const variables = [...envExample().matchAll(/^# FLOW_PROXY_(\w+)=/gm)].map(([, name]) => name);
    assert.deepEqual(variables.slice(0, 5), ['PORT', 'HOST', 'LOG_LEVEL', 'SECRETS_FILE', 'LOG_FILE']);
  });
});

describe('the README', () => {
  it('has the table of settings as the schema prints it', () => {
    const shown = /<!-- settings:begin -->\n+(.*?)\n*<!-- settings:end -->/s.exec(
      readRepositoryFile('README.md'),
    );
    assert.equal(shown?.[1]?.trim(), settingsTable().trim(), FIX);
  });

  it('gets one row for each setting, of four cells', () => {
    const rows = settingsTable().trim().split('\n');
    assert.equal(rows.length, settingFlags().length + 2);
    for (const row of rows) assert.equal(row.split('|').length, 6, row);
  });
});

describe('the table of effective settings', () => {
  it('shows every setting with its value and source in aligned columns', () => {
    const environment = { FLOW_PROXY_PORT: '9000' };
    const { effective } = loadSettings({
      flags: { host: '::1' },
      environment,
      envFile: undefined,
      cwd: '/nowhere',
    });
    const lines = effectiveTable(effective).trimEnd().split('\n');
    assert.equal(lines.length, settingFlags().length);
    assert.match(lines[0] ?? '', /^FLOW_PROXY_PORT +9000 +environment$/);
    assert.match(lines[1] ?? '', /^FLOW_PROXY_HOST +::1 +flag$/);
    assert.match(lines[3] ?? '', /^FLOW_PROXY_SECRETS_FILE +\/nowhere\/secrets\.json +default$/);
    assert.match(lines[4] ?? '', /^FLOW_PROXY_LOG_FILE +\(not set\) +default$/);
    assert.equal(new Set(lines.map((line) => line.search(/\S+$/))).size, 1);
  });
});
