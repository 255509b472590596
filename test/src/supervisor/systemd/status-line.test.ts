import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusLine } from '../../../../src/supervisor/systemd/status-line.ts';
import { sampleStatus, sampleWorker } from './sample-status.ts';

test('The line tells the state, workers, credentials and what is in flight', () => {
  assert.equal(
    statusLine(sampleStatus({ inFlight: 7 })),
    'ready: 1 of 1 workers, 1 of 2 credentials available, 7 in flight',
  );
});

test('Workers that drain are counted, and where no others are wanted they stand alone', () => {
  const draining = [{ generation: 1, inFlight: 2, rssBytes: 0, workers: [sampleWorker, sampleWorker] }];
  assert.match(statusLine(sampleStatus({ draining })), /1 of 1 workers.*2 workers drain$/);
  const stopping = sampleStatus({ state: 'stopping', workers: [], workersWanted: 0, draining, inFlight: 2 });
  assert.equal(statusLine(stopping), 'stopping: 1 of 2 credentials available, 2 in flight, 2 workers drain');
});

test('A reload that was refused is remembered, without its reasons', () => {
  const lastReload = {
    at: '2026-11-24T12:00:00.000Z',
    outcome: 'refused' as const,
    reasons: ['/etc/x: a secret text'],
    needRestart: [],
  };
  const line = statusLine(sampleStatus({ lastReload }));
  assert.match(line, /last reload refused at 2026-11-24T12:00:00.000Z$/);
  assert.doesNotMatch(line, /secret/);
});
