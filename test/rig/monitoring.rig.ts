// The monitoring files against Prometheus's own tool: the alert rules and their tests, the dashboard's queries, and a
// real scrape.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { eventually } from '../harness/eventually.ts';
import { call, jsonPost } from '../harness/http-call.ts';
import { alertQueries, dashboardQueries, MONITORING } from '../harness/monitoring-files.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';

interface AlertTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

function promtool(args: readonly string[], input = ''): string {
  return execFileSync('promtool', args, { cwd: MONITORING, input, encoding: 'utf8' });
}

test('the alert rules are valid, and fire and stay quiet as their tests say', () => {
  assert.match(promtool(['check', 'rules', 'alerts.yaml']), /SUCCESS/);
  promtool(['test', 'rules', 'alerts.test.yaml']);
});

test('every alert has a test in which it fires and one in which it does not', () => {
  const { tests }: AlertTests = parse(readFileSync(join(MONITORING, 'alerts.test.yaml'), 'utf8'));
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const [alert] of alertQueries()) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires`,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} stays quiet`,
    );
  }
});

test('every query of the dashboard is PromQL', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-rig-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const rules = dashboardQueries().map(([, expr], index) => ({ record: `panel:query:${index}`, expr }));
  const file = join(folder, 'dashboard.yaml');
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
  assert.match(promtool(['check', 'rules', file]), new RegExp(`SUCCESS: ${rules.length} rules`));
});

test('a scrape passes the checks of Prometheus', async (t) => {
  const { proxy } = await startStack({ settings: { ADMIN_LISTEN: '127.0.0.1:0', NUM_WORKERS: 1 } }, t);
  const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] };
  await call(`${proxy.url}/v1/chat/completions`, jsonPost(body));
  const admin = await proxy.adminUrl();
  const seen = await eventually('a counted request', async () => {
    const one = await scrape(admin);
    return one.sum('flow_proxy_output_tokens_total') > 0 ? one : undefined;
  });
  assert.equal(promtool(['check', 'metrics'], seen.text), '');
});
