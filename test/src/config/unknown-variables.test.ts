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

describe('lines of a .env file that set nothing', () => {
  const warningsOf = (text: string): readonly string[] => {
    const cwd = folder(text);
    return load({ cwd }).warnings.map((warning) => warning.replace(join(cwd, '.env'), 'FILE'));
  };

  it('are warned about with file, line and fix, and nothing of them is printed but the name of a setting', () => {
    const warnings = warningsOf(
      'FLOW_PROXY_PORT 9000 CANARY\n# a comment\n\nCANARY\r\n  export FLOW_PROXY_HOST\nFLOW_PROXY_LOG_LEVEL:CANARY\n=CANARY',
    );
    const told = (line: number, name: string): string =>
      `FILE line ${line} is ignored: it is no assignment; write ${name}=value, or # before a comment`;
    assert.deepEqual(warnings, [
      told(1, 'FLOW_PROXY_PORT'),
      told(4, 'NAME'),
      told(5, 'FLOW_PROXY_HOST'),
      told(6, 'FLOW_PROXY_LOG_LEVEL'),
      told(7, 'NAME'),
    ]);
  });

  it('are not the lines of a value in quotes, nor comments, nor empty values', () => {
    const key = '"-----BEGIN KEY-----\nabc\n# not a comment\n-----END KEY-----"';
    assert.deepEqual(
      warningsOf(`KEY=${key} # of somebody\n  # indented\nOTHER='a\nb'\nEMPTY=\nYAML: 1\nexport X=1\n`),
      [],
    );
    const [, misspelt = ''] = [...warningsOf(`nonsense\nKEY=${key}\nFLOW_PROXY_PROT=1`)].sort();
    assert.match(
      misspelt,
      /FLOW_PROXY_PROT \(FILE line 6\)/,
      'lines are counted past a value of several lines',
    );
  });
});
