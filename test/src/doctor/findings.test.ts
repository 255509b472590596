import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSentence, ok, warn, worstOf } from '../../../src/doctor/finding.ts';
import { judgeStatus } from '../../../src/doctor/live.ts';
import { checkNode } from '../../../src/doctor/node-version.ts';
import { listeningInodes } from '../../../src/doctor/port-owner.ts';
import { clockFinding, wayFindings } from '../../../src/doctor/way-findings.ts';

describe('findings', () => {
  it('the worst decides', () => {
    assert.equal(worstOf([]), 'ok');
    assert.equal(worstOf([ok('a', 'b'), warn('a', 'b', 'c')]), 'warn');
    assert.equal(worstOf([{ ...ok('a', 'b'), verdict: 'fail' }, warn('a', 'b', 'c')]), 'fail');
  });

  it('a sentence that says what to do is split there', () => {
    const { message, fix } = fromSentence('x', 'warn', 'it is open; close it; then look', 'else');
    assert.deepEqual([message, fix], ['it is open', 'close it; then look']);
    assert.equal(fromSentence('x', 'fail', 'it is gone', 'find it').fix, 'find it');
    const denied = fromSentence('x', 'fail', 'denied (it belongs to uid 0: `chown 5 /it`)', 'correct it');
    assert.deepEqual([denied.message, denied.fix], ['denied (it belongs to uid 0)', '`chown 5 /it`']);
  });

  it('Node.js before 20.19 fails, before 22 it is worth a look', () => {
    const verdicts = ['v18.20.0', 'v20.18.3', 'v20.19.0', 'v22.1.0', 'v26.0.0'].map(
      (v) => checkNode(v).verdict,
    );
    assert.deepEqual(verdicts, ['fail', 'fail', 'warn', 'ok', 'ok']);
  });

  it('a clock is right within 30 s, wrong from 5 minutes on', () => {
    const off = (ms: number) => clockFinding({ status: 401, date: 1_000_000, clock: 1_000_500 + ms }).verdict;
    assert.deepEqual([0, 29_000, -31_000, 299_000, -301_000].map(off), ['ok', 'ok', 'warn', 'warn', 'fail']);
    assert.equal(clockFinding({ status: 401, date: null, clock: 0 }).verdict, 'ok');
  });

  it('statuses tell of the credential only where they do', () => {
    const verdict = (status: number) => judgeStatus('c', status, 1, 'secrets.json').verdict;
    assert.deepEqual([200, 401, 403, 429, 500, 404].map(verdict), [
      ...['ok', 'fail', 'fail', 'warn', 'warn', 'warn'],
    ]);
  });

  it('what is in the way is named with the setting that helps', () => {
    const context = { targetHost: 'flow', proxyHost: 'proxy:3128', now: 0 };
    const broken = (step: 'dns' | 'tcp' | 'tls', code: string, proxyHost: string | null) => {
      const cause = Object.assign(new Error('no'), { code });
      const walk = { steps: [], failure: { step, cause }, answer: null, certificateEnds: null };
      const [finding] = wayFindings(walk, { ...context, proxyHost });
      return `${finding?.message} → ${finding?.fix}`;
    };
    assert.match(broken('dns', 'ENOTFOUND', 'proxy'), /outbound proxy proxy.*FLOW_PROXY_UPSTREAM_PROXY/);
    assert.match(broken('dns', 'ENOTFOUND', null), /^flow: .*FLOW_PROXY_TARGET_URL/);
    assert.match(broken('tcp', 'ETIMEDOUT', null), /firewall.*FLOW_PROXY_UPSTREAM_PROXY/);
    assert.match(broken('tls', 'CERT_HAS_EXPIRED', 'proxy'), /^flow: .*clock/);
  });

  it('listening sockets of a port are found in the table of the kernel, connections are not', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:22C3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1',
      '   1: 0100007F:22C3 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1',
      '   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1',
    ].join('\n');
    assert.deepEqual(listeningInodes(table, 8899), ['4711']);
  });
});
