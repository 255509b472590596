import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_REWRITE_RULES } from '../../src/config/rewrite-rules.ts';
import { ConfigError } from '../../src/errors.ts';
import { type Generation, makeGeneration } from '../../src/generation.ts';
import { folder, load } from './config/loading.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

/** A generation of settings with these variables, read in a folder with these files. */
function make(environment: Record<string, string>, files: Record<string, string> = {}): Generation {
  const cwd = folder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return makeGeneration(3, load({ environment, cwd }).settings);
}

describe('a generation', () => {
  it('holds what the settings say and what they point to', () => {
    const rules = [{ name: 'r', path: '/x', removeHeaders: [], removeBody: [], removeQuery: ['q'] }];
    const generation = make(
      {
        FLOW_PROXY_PORT: '1234',
        FLOW_PROXY_UPSTREAM_CA_FILE: 'ca.pem',
        FLOW_PROXY_REWRITE_RULES_FILE: 'rules.json',
      },
      { 'ca.pem': PEM, 'rules.json': JSON.stringify(rules) },
    );
    const { number, port, upstreamCa, rewriteRules, host, targetUrl } = generation;
    assert.deepEqual(
      { number, port, upstreamCa, rewriteRules },
      { number: 3, port: 1234, upstreamCa: PEM, rewriteRules: rules },
    );
    assert.deepEqual([host, targetUrl], ['127.0.0.1', 'https://flow.ciandt.com/flow-llm-proxy']);
  });

  it('has the built-in rules and no CA of its own by default', () => {
    const { rewriteRules, upstreamCa, logLevel } = make({});
    assert.deepEqual([rewriteRules, upstreamCa, logLevel], [DEFAULT_REWRITE_RULES, null, 'INFO']);
  });

  it('survives the way to a worker unchanged', () => {
    const generation = make({});
    assert.deepEqual(JSON.parse(JSON.stringify(generation)), generation);
  });

  it('tells a worker nothing of the secrets file nor of any other path', () => {
    const text = JSON.stringify(
      make({ FLOW_PROXY_SECRETS_FILE: '/etc/CANARY.json', FLOW_PROXY_LOG_FILE: 'CANARY.log' }),
    );
    assert.doesNotMatch(text, /CANARY/);
  });

  it('is refused with all problems of its files at once', () => {
    const environment = {
      FLOW_PROXY_UPSTREAM_CA_FILE: 'ca.pem',
      FLOW_PROXY_REWRITE_RULES_FILE: 'rules.json',
    };
    const refusal = (files: Record<string, string>): readonly string[] => {
      try {
        make(environment, files);
      } catch (cause) {
        assert.ok(cause instanceof ConfigError);
        return cause.problems;
      }
      return assert.fail('the settings were accepted');
    };
    const [rules = '', more = '', ca = ''] = refusal({ 'rules.json': '[1, 2]', 'ca.pem': 'none' });
    assert.match(rules, /rule 0 must be an object/);
    assert.match(more, /rule 1 must be an object/);
    assert.match(ca, /FLOW_PROXY_UPSTREAM_CA_FILE .* holds no PEM certificate/);
    assert.match(
      refusal({ 'rules.json': '[]' }).join(),
      /FLOW_PROXY_UPSTREAM_CA_FILE .*ca\.pem": no such file/,
    );
  });
});
