import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folder, load } from './loading.ts';

describe('variables that set nothing', () => {
  it('are warned about with the nearest real name and their place, never with their value', () => {
    const cwd = folder('FLOW_PROXY_LOGLEVEL=CANARY\n');
    const { warnings } = load({
      cwd,
      environment: { FLOW_PROXY_PROT: 'CANARY', FLOW_PROXY_XYZZY_THING: 'CANARY' },
    });
    assert.deepEqual(warnings, [
      'FLOW_PROXY_PROT is not a setting and is ignored; did you mean FLOW_PROXY_PORT?',
      'FLOW_PROXY_XYZZY_THING is not a setting and is ignored',
      `FLOW_PROXY_LOGLEVEL (${join(cwd, '.env')} line 1) is not a setting and is ignored; did you mean FLOW_PROXY_LOG_LEVEL?`,
    ]);
  });

  it('are explained one by one when they are the predecessor’s', () => {
    const names = ['THREADED', 'PLUGIN_POOL_SIZE', 'LOG_CLEANUP_ENABLED', 'LOG_CLEANUP_INTERVAL_HOURS'];
    const environment = Object.fromEntries(
      names.map((name): [string, string] => [`FLOW_PROXY_${name}`, '1']),
    );
    const { warnings } = load({ environment });
    assert.equal(warnings.length, names.length);
    for (const [index, name] of names.entries()) {
      assert.match(
        warnings[index] ?? '',
        new RegExp(`^FLOW_PROXY_${name} means nothing here and is ignored: `),
      );
    }
  });

  it('are passed over when Kubernetes sets them for a Service', () => {
    const environment = {
      FLOW_PROXY_SERVICE_SERVICE_HOST: '10.0.0.1',
      FLOW_PROXY_SERVICE_SERVICE_PORT: '8899',
      FLOW_PROXY_SERVICE_PORT: 'tcp://10.0.0.1:8899',
      FLOW_PROXY_SERVICE_PORT_8899_TCP: 'tcp://10.0.0.1:8899',
      FLOW_PROXY_SERVICE_PORT_8899_TCP_ADDR: '10.0.0.1',
    };
    assert.deepEqual(load({ environment }).warnings, []);
  });
});
