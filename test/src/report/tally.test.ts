import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addLine, emptyTally, mergeTally, type Tally } from '../../../src/report/tally.ts';
import { eventLine, exchangeLine } from './log-text.ts';

function tallyOf(text: string, since = ''): Tally {
  const tally = emptyTally();
  for (const line of text.trimEnd().split('\n')) addLine(tally, line, since);
  return tally;
}

const LINES = [
  exchangeLine({ tokensIn: 100, tokensOut: 7, tokensCached: 40, model: 'gpt-4o', client: 'team' }),
  exchangeLine({
    credential: 'two',
    durationMs: 5_000,
    requestId: 'slow',
    failovers: ['one: 401', 'three: 429'],
  }),
  exchangeLine({
    level: 'ERROR',
    outcome: 'failed',
    status: 502,
    error: 'upstream_unreachable',
    msg: 'Request processed with a failure.',
  }),
  exchangeLine({
    level: 'WARNING',
    outcome: 'failed',
    status: 404,
    msg: 'Request processed with a failure.',
  }),
  exchangeLine({
    outcome: 'client_left',
    status: 499,
    error: 'client_left',
    msg: 'Request processed with the client gone.',
  }),
  exchangeLine({
    msg: 'Answered locally: GET /health 200 in 1 ms',
    credential: undefined,
    time: '2026-11-24T11:00:00.000Z',
  }),
  eventLine('ERROR', 'Worker 0 ended by SIGKILL'),
  'no json\n',
  '"json, but no object"\n',
  '{"msg":"no time"}\n',
];

describe('the count of log lines', () => {
  it('tells exchanges by outcome, other lines, and broken ones', () => {
    const tally = tallyOf(LINES.join(''));
    const { lines, brokenLines, errorLines, exchanges, succeeded, failed, clientsGone } = tally;
    assert.deepEqual(
      { lines, brokenLines, errorLines, exchanges, succeeded, failed, clientsGone },
      { lines: 10, brokenLines: 3, errorLines: 2, exchanges: 5, succeeded: 2, failed: 2, clientsGone: 1 },
    );
    assert.deepEqual([tally.answeredLocally, tally.failovers], [1, 2]);
    assert.deepEqual([tally.firstAt, tally.lastAt], ['2026-11-24T10:00:00.000Z', '2026-11-24T11:00:00.000Z']);
  });

  it('sums bytes and tokens by credential, model and client key, and knows where tokens are unknown', () => {
    const { byCredential, byModel, byClient } = tallyOf(LINES.join(''));
    assert.deepEqual([...byCredential.keys()], ['one', 'two']);
    const { exchanges, bytesIn, bytesOut, withTokens, tokensIn, tokensOut, tokensCached } =
      byCredential.get('one') ?? {};
    assert.deepEqual([exchanges, bytesIn, bytesOut], [4, 40, 80]);
    assert.deepEqual([withTokens, tokensIn, tokensOut, tokensCached], [1, 100, 7, 40]);
    assert.equal(byModel.get('gpt-4o')?.tokensIn, 100);
    assert.equal(byClient.get('team')?.exchanges, 1);
  });

  it('names failures by our code, or by the status where we have none', () => {
    const { failures } = tallyOf(LINES.join(''));
    assert.deepEqual(
      [...failures],
      [
        ['upstream_unreachable', 1],
        ['status 404', 1],
      ],
    );
  });

  it('keeps the ten slowest, slowest first', () => {
    const lines = Array.from({ length: 30 }, (_, index) => exchangeLine({ durationMs: (index * 7) % 30 }));
    const { slowest } = tallyOf(lines.join(''));
    assert.deepEqual(
      slowest.map(({ durationMs }) => durationMs),
      [29, 28, 27, 26, 25, 24, 23, 22, 21, 20],
    );
  });

  it('passes over lines from before the time that is asked for', () => {
    const tally = tallyOf(LINES.join(''), '2026-11-24T10:30:00.000Z');
    assert.deepEqual([tally.lines, tally.olderLines, tally.exchanges, tally.answeredLocally], [4, 6, 0, 1]);
  });

  it('is the same for a whole and for the sum of its parts', () => {
    for (let border = 0; border <= LINES.length; border += 1) {
      const sum = emptyTally();
      for (const part of [LINES.slice(0, border), LINES.slice(border)]) {
        if (part.length > 0) mergeTally(sum, tallyOf(part.join('')));
      }
      assert.deepEqual(sum, tallyOf(LINES.join('')), `parts at ${border}`);
    }
  });

  it('does not grow without bound by names that clients choose', () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => exchangeLine({ model: `model-${index}` }));
    const { byModel } = tallyOf(lines.join(''));
    assert.equal(byModel.size, 1_001);
    assert.equal(byModel.get('(others)')?.exchanges, 2_000);
  });
});
