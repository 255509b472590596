import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workerEnvironment } from '../../../src/supervisor/worker-environment.ts';

/** Names that a worker still has when its environment is laid over the primary's, as node:cluster does it. */
function inherited(environment: NodeJS.ProcessEnv): string[] {
  const merged = { ...environment, ...workerEnvironment(environment) };
  return Object.keys(merged).filter((name) => merged[name] !== undefined);
}

describe('a worker’s environment', () => {
  it('holds nothing that is or names a secret', () => {
    const environment = {
      FLOW_PROXY_SECRETS_FILE: '/etc/secrets.json',
      FLOW_PROXY_UPSTREAM_PROXY: 'http://u:p@h',
      HTTPS_PROXY: 'http://u:p@h',
      https_proxy: 'http://u:p@h',
      NO_PROXY: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      ANTHROPIC_API_KEY: 'x',
      PATH_TO_SECRETS: 'x',
      LD_PRELOAD_X: 'x',
    };
    assert.deepEqual(inherited(environment), []);
  });

  it('keeps what Node and the C library need, with its values', () => {
    const environment = { PATH: '/bin', HOME: '/root', LANG: 'C', LC_ALL: 'C', TZ: 'UTC', NODE_ENV: 'x' };
    assert.deepEqual(workerEnvironment(environment), environment);
  });

  it('names what is to go as undefined, since node:cluster starts from the primary’s own', () => {
    assert.deepEqual(workerEnvironment({ SECRET: 'x' }), { SECRET: undefined });
  });
});
