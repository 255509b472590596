import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findLogrotateRule, parseRules } from '../../../src/logging/logrotate-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-logrotate-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const patterns = (text: string): string[] => parseRules(text, 'file').map(({ pattern }) => pattern);

/** Whether a pattern covers a path. */
function covers(pattern: string, path: string): boolean {
  writeFileSync(join(folder, 'rule'), `${pattern} {\n}\n`);
  return findLogrotateRule(folder, path) !== undefined;
}

describe('the rules of logrotate', () => {
  it('are the paths before a block, one or several, quoted, over several lines', () => {
    const text = `# /not/this.log {
weekly
include /etc/logrotate.other
/var/log/a.log "/var/log/with space.log" {
    daily
    postrotate
        rm /var/log/no.log
        if true; then { echo; }; fi
    endscript
    olddir /var/log/old
}
/var/log/b/*.log
/var/log/c.log
{
    daily
}
/var/log/d.log { daily }
/var/log/e.log {
}`;
    assert.deepEqual(patterns(text), [
      '/var/log/a.log',
      '/var/log/with space.log',
      '/var/log/b/*.log',
      '/var/log/c.log',
      '/var/log/d.log',
      '/var/log/e.log',
    ]);
  });

  it('are found with file and line', () => {
    writeFileSync(join(folder, 'rule'), '\n# ours\n/var/log/*/app.log {\n}\n');
    const rule = { pattern: '/var/log/*/app.log', file: join(folder, 'rule'), line: 3 };
    assert.deepEqual(findLogrotateRule(folder, '/var/log/flow-proxy/app.log'), rule);
  });

  it('cover paths as glob(7) says', () => {
    assert.equal(covers('/logs/*.log', '/logs/app.2026-11-24.1.log'), true);
    assert.equal(covers('/logs/*.log', '/logs/sub/app.log'), false);
    assert.equal(covers('/logs/*.log', '/logs/app.log.gz'), false);
    assert.equal(covers('/logs/*[!0-9].log', '/logs/app.log'), true);
    assert.equal(covers('/logs/*[!0-9].log', '/logs/app.2026-11-24.1.log'), false);
    assert.equal(covers('/logs/[^a]*.log', '/logs/app.log'), false);
    assert.equal(covers('/logs/app.?', '/logs/appx1'), false);
    assert.equal(covers('/logs/app.?', '/logs/app.1'), true);
    assert.equal(covers('/logs/[z-a].log', '/logs/b.log'), false);
    assert.equal(covers('/logs/(a|b)$.log', '/logs/a.log'), false);
  });

  it('are not those of disabled files, and there are none in a folder that is missing', () => {
    writeFileSync(join(folder, 'rule'), '');
    writeFileSync(join(folder, 'rule.dpkg-old'), '/logs/app.log {\n}\n');
    mkdirSync(join(folder, 'sub'));
    assert.equal(findLogrotateRule(folder, '/logs/app.log'), undefined);
    assert.equal(findLogrotateRule(join(folder, 'missing'), '/logs/app.log'), undefined);
  });
});
