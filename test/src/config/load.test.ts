import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type LoadInput, settingFlags } from '../../../src/config/load.ts';
import { folder, load, problemsOf, root } from './loading.ts';

const sourceOf = (part: Partial<LoadInput>, name: string) =>
  load(part).effective.find((setting) => setting.name === name)?.source;

describe('settings without any configuration', () => {
  it('are the documented defaults, in milliseconds and bytes, with absolute paths', () => {
    const { settings, warnings } = load({});
    assert.deepEqual(settings, {
      host: '127.0.0.1',
      port: 8899,
      targetUrl: 'https://flow.ciandt.com/flow-llm-proxy',
      outboundProxyUrl: null,
      upstreamCaFile: null,
      rewriteRulesFile: null,
      secretsFile: join(root, 'secrets.json'),
      numWorkers: 'auto',
      connectTimeoutMs: 10_000,
      limits: { firstByteMs: 600_000, idleMs: 600_000, exchangeMs: 3_600_000 },
      retry: { maxAttempts: 3, withinMs: 60_000, causes: [503, 529], throttleWaitMs: 3_000 },
      hasAffinity: true,
      streamKeepAliveMs: 15_000,
      keepAliveTimeoutMs: 75_000,
      drainTimeoutMs: 600_000,
      heartbeatTimeoutMs: 15_000,
      adminListen: { host: '127.0.0.1', port: 8898 },
      maxDraining: 25,
      controlSocket: 'auto',
      memory: { softBytes: 'auto', hardBytes: 'auto', heapBytes: 'auto', minLifetimeMs: 300_000 },
      inbound: {
        headerMs: 60_000,
        bodyMs: 60_000,
        connections: 'auto',
        inFlight: 2_000,
        loopDelayMs: 2_000,
      },
      corsOrigins: [],
      maxBodyBytes: 32 * 1024 * 1024,
      keepBodyBytes: 8 * 1024 * 1024,
      clients: { allowed: [], keysFile: null, tls: null },
      log: {
        level: 'INFO',
        format: 'auto',
        retentionDays: 7,
        maxTotalBytes: 100 * 1024 * 1024,
        rollBytes: 10 * 1024 * 1024,
        rotation: 'none',
      },
    });
    assert.deepEqual(warnings, []);
  });
});

describe('precedence', () => {
  const environment = { FLOW_PROXY_PORT: '2000' };
  const cwd = folder('FLOW_PROXY_PORT=3000\n');

  it('puts a flag over the environment over the .env file over the default, and tells the source', () => {
    const flags = { port: '1000' };
    const inputs = [{ flags, environment, cwd }, { environment, cwd }, { cwd }, {}];
    assert.deepEqual(
      inputs.map((input) => [load(input).settings.port, sourceOf(input, 'port')]),
      [
        [1000, 'flag'],
        [2000, 'environment'],
        [3000, 'env file'],
        [8899, 'default'],
      ],
    );
  });

  it('takes an empty or blank text as unset', () => {
    const input = { flags: { port: '' }, environment: { FLOW_PROXY_PORT: '  ' }, cwd };
    assert.equal(load(input).settings.port, 3000);
  });

  it('reads a .env file named explicitly, relative to the working directory', () => {
    writeFileSync(join(root, 'staging.env'), 'export FLOW_PROXY_HOST="0.0.0.0" # all\r\n');
    assert.equal(load({ envFile: 'staging.env', cwd: root }).settings.host, '0.0.0.0');
  });

  it('never touches process.env', () => {
    load({ cwd: folder('FLOW_PROXY_MAX_BODY_MB=1\n') });
    assert.equal(process.env['FLOW_PROXY_MAX_BODY_MB'], undefined);
  });
});

describe('the .env file', () => {
  it('must exist when it is named', () => {
    assert.deepEqual(problemsOf({ envFile: 'missing.env' }), [
      `env file ${join(root, 'missing.env')}: no such file`,
    ]);
  });

  it('is not looked for in a folder named .env, as Python environments often are', () => {
    const cwd = folder();
    mkdirSync(join(cwd, '.env'));
    assert.equal(load({ cwd }).settings.port, 8899);
    assert.match(problemsOf({ cwd, envFile: '.env' }).join(), /is a folder, not a file/);
  });

  it('is named with its line when it holds a bad value', () => {
    const cwd = folder('# comment\n\nFLOW_PROXY_PORT=1\nFLOW_PROXY_PORT=abc\n');
    assert.deepEqual(problemsOf({ cwd }), [
      `FLOW_PROXY_PORT (${join(cwd, '.env')} line 4): "abc" is not accepted, expected a whole number from 0 to 65535`,
    ]);
  });
});

describe('setting flags', () => {
  it('name every setting once, with the variable and flag that follow from its name', () => {
    const flags = settingFlags();
    assert.equal(new Set(flags.map(({ flag }) => flag)).size, flags.length);
    assert.deepEqual(
      flags.find(({ name }) => name === 'logMaxSizeMb'),
      {
        name: 'logMaxSizeMb',
        flag: '--log-max-size-mb',
        placeholder: 'MB',
        variable: 'FLOW_PROXY_LOG_MAX_SIZE_MB',
        default: '100',
        section: 'Logs',
        doc: 'Total of all log files we keep, in MB.',
      },
    );
  });

  it('have defaults that are accepted when written out', () => {
    const flags = Object.fromEntries(
      settingFlags().map((setting): [string, string] => [setting.name, setting.default]),
    );
    assert.deepEqual(load({ flags }).settings, load({}).settings);
  });
});
