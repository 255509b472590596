import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ALL_METRICS } from '../../src/metrics/catalogue.ts';
import { PREFIX } from '../../src/metrics/definition.ts';
import { metricsTable } from '../../src/metrics/table.ts';
import { call } from '../harness/http-call.ts';
import { alertQueries, dashboardQueries, groupings, mentions } from '../harness/monitoring-files.ts';
import { root } from '../harness/root.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';

/** Prometheus adds these to every series. */
const SCRAPED = ['instance', 'job', 'le'];
const queries = [...alertQueries(), ...dashboardQueries()];

test('Every query of the alerts and of the dashboard names metrics that a running service has', async (t) => {
  const { proxy } = await startStack({ settings: { ADMIN_LISTEN: '127.0.0.1:0', NUM_WORKERS: 1 } }, t);
  await call(`${proxy.url}/healthz`);
  const { text } = await scrape(await proxy.adminUrl());
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type]),
  );
  for (const [where, expr] of queries) {
    const named = mentions(expr);
    assert.ok(named.length > 0 || expr.startsWith('up{'), `${where} names nothing of ours: ${expr}`);
    for (const { metric } of named) {
      const histogram = metric.replace(/_(bucket|sum|count)$/, '');
      const isThere =
        types.get(metric) !== undefined
          ? types.get(metric) !== 'histogram'
          : types.get(histogram) === 'histogram';
      assert.ok(isThere, `${where}: there is no ${metric}`);
    }
  }
});

test('Every query asks for labels that its metrics have', () => {
  for (const [where, expr] of queries) {
    for (const { metric, labels } of mentions(expr)) {
      const known = labelsOf(metric);
      for (const label of [...labels, ...groupings(expr)]) {
        assert.ok(known.includes(label), `${where}: ${metric} has no label ${label}`);
      }
    }
  }
});

test('Every metric is on the dashboard or in an alert, except those that tell what runs', () => {
  const named = queries.flatMap(([, expr]) => mentions(expr)).map(({ metric }) => metric);
  const unseen = ALL_METRICS.filter(
    ({ name }) => !named.some((metric) => metric.startsWith(`${PREFIX}${name}`)),
  );
  assert.deepEqual(
    unseen.map(({ name }) => name),
    ['build_info', 'start_time_seconds', 'generation'],
  );
});

function labelsOf(metric: string): readonly string[] {
  const bare = metric.slice(PREFIX.length).replace(/_(bucket|sum|count)$/, '');
  const found = ALL_METRICS.find(({ name }) => name === bare || name === metric.slice(PREFIX.length));
  return [...SCRAPED, ...(found?.labels ?? [])];
}

test('The operations page has every metric as the code describes it', () => {
  const page = readFileSync(root('docs/operations.md'), 'utf8');
  assert.ok(page.includes(metricsTable().trim()), 'npm run docs:settings writes it anew');
});
