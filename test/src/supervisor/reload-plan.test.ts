import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Configuration, loadConfiguration } from '../../../src/configuration.ts';
import { planReload, type ReloadPlan } from '../../../src/supervisor/reload-plan.ts';
import { withConfiguration } from './sample-configuration.ts';

const input = withConfiguration();
const load = (variables: Readonly<Record<string, string>> = {}, number = 1): Configuration =>
  loadConfiguration(
    { ...input, environment: { FLOW_PROXY_SECRETS_FILE: join(input.cwd, 'secrets.json'), ...variables } },
    number,
  );
const start = load();
const plan = (loaded: Configuration, hasNewCode = false): ReloadPlan =>
  planReload(start, start, loaded, hasNewCode);

describe('the plan of a reload', () => {
  it('is to do nothing when nothing has changed but the number of the generation', () => {
    const { live, rollFor, needRestart } = plan(load({}, 2));
    assert.deepEqual([live, rollFor, needRestart], [[], [], []]);
  });

  it('replaces workers for a setting that they go by, naming both values', () => {
    const { rollFor } = plan(load({ FLOW_PROXY_MAX_ATTEMPTS: '5' }));
    assert.deepEqual(rollFor, ['FLOW_PROXY_MAX_ATTEMPTS 3 → 5']);
  });

  it('replaces workers for new code, and for other content of a file that a setting names', () => {
    assert.deepEqual(plan(load({}, 2), true).rollFor, ['new code on disk']);
    const file = join(input.cwd, 'rules.json');
    writeFileSync(file, '[]');
    const before = load({ FLOW_PROXY_REWRITE_RULES_FILE: file });
    writeFileSync(file, JSON.stringify([{ path: '/v1/messages', removeHeaders: ['x-a'] }]));
    const after = load({ FLOW_PROXY_REWRITE_RULES_FILE: file }, 2);
    assert.deepEqual(planReload(before, before, after, false).rollFor, ['the files that settings name']);
  });

  it('replaces nobody for what the primary alone goes by', () => {
    const { live, rollFor } = plan(load({ FLOW_PROXY_MAX_DRAINING: '3', FLOW_PROXY_NUM_WORKERS: '7' }));
    assert.deepEqual([live, rollFor], [['FLOW_PROXY_MAX_DRAINING 25 → 3'], []]);
  });

  it('keeps the address of the start, and says so with every reload', () => {
    const moved = load({ FLOW_PROXY_PORT: '9000', FLOW_PROXY_HOST: '::1' }, 2);
    const first = plan(moved);
    assert.deepEqual([first.rollFor, first.needRestart], [[], ['FLOW_PROXY_PORT', 'FLOW_PROXY_HOST']]);
    assert.deepEqual([first.generation.port, first.generation.host], [8899, '127.0.0.1']);
    assert.deepEqual(planReload(start, moved, moved, false).needRestart, first.needRestart);
  });
});
