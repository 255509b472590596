import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeUnit } from '../../../src/doctor/systemd-unit.ts';

const RUNNING = {
  Id: 'flow-proxy-plugin.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  UnitFileState: 'enabled',
  Result: 'success',
  NRestarts: '0',
  MainPID: '812',
};

function judge(changes: Partial<Record<keyof typeof RUNNING, string>>): { verdict: string; text: string } {
  const lines = Object.entries({ ...RUNNING, ...changes }).map(([name, value]) => `${name}=${value}`);
  const { verdict, message, fix } = judgeUnit(`${lines.join('\n')}\n`);
  return { verdict, text: `${message} → ${fix}` };
}

describe('the systemd unit', () => {
  it('is right when it runs and will start at boot', () => {
    assert.deepEqual(judge({}), {
      verdict: 'ok',
      text: 'flow-proxy-plugin.service is active (running), pid 812 → null',
    });
  });

  it('fails when it failed or cannot be loaded, with the commands that tell why', () => {
    const failed = judge({ ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' });
    assert.equal(failed.verdict, 'fail');
    assert.match(failed.text, /exit-code.*journalctl -u flow-proxy-plugin\.service.*reset-failed/);
    assert.equal(judge({ LoadState: 'bad-setting' }).verdict, 'fail');
  });

  it('is worth a look when it is stopped, was restarted, or will not start at boot', () => {
    assert.match(judge({ ActiveState: 'inactive', SubState: 'dead' }).text, /systemctl start/);
    assert.match(judge({ NRestarts: '3' }).text, /restarted 3 times/);
    assert.match(judge({ UnitFileState: 'disabled' }).text, /systemctl enable/);
  });
});
