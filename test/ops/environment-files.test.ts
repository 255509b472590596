// The environment files that are shipped are those of the predecessor's guide, and flow-proxy takes every line of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runFlowProxy } from '../harness/command.ts';
import { root } from '../harness/root.ts';

const GUIDE = {
  development: { PORT: '9000', HOST: '127.0.0.1', LOG_LEVEL: 'DEBUG', SECRETS_FILE: /\/secrets\.dev\.json$/ },
  staging: {
    PORT: '8899',
    HOST: '0.0.0.0',
    LOG_LEVEL: 'INFO',
    SECRETS_FILE: '/etc/flow-proxy/secrets.staging.json',
  },
  production: {
    PORT: '8899',
    HOST: '0.0.0.0',
    LOG_LEVEL: 'WARNING',
    SECRETS_FILE: '/etc/flow-proxy/secrets.json',
    LOG_FILE: '/var/log/flow-proxy/app.log',
  },
};

describe('environment files', () => {
  for (const [name, settings] of Object.entries(GUIDE)) {
    test(`${name} is taken whole, without a warning`, async () => {
      const args = ['config', '--env-file', root(`ops/env/${name}.env`)];
      const { code, stdout, stderr } = await runFlowProxy({ args });
      assert.deepEqual([code, stderr], [0, '']);
      for (const [variable, expected] of Object.entries(settings)) {
        const line = stdout.split('\n').find((text) => text.startsWith(`FLOW_PROXY_${variable} `)) ?? '';
        const [, value = '', ...source] = line.trim().split(/\s+/);
        assert.match(value, typeof expected === 'string' ? new RegExp(`^${expected}$`) : expected, line);
        assert.equal(source.join(' '), 'env file', line);
      }
    });
  }
});
