// Completion in a real zsh and a real fish; bash's is in the fast tests.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runFlowProxy } from '../harness/command.ts';

describe('completion', () => {
  const folder = mkdtempSync(join(tmpdir(), 'completion-'));
  before(async () => {
    for (const shell of ['zsh', 'fish']) {
      const { stdout } = await runFlowProxy({ args: ['completion', shell] });
      writeFileSync(join(folder, shell), stdout);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  test('fish offers commands, options and values', () => {
    const offered = (line: string): string[] => {
      const program = `source ${folder}/fish; complete -C "${line}"`;
      const printed = execFileSync('fish', ['--no-config', '-c', program], { encoding: 'utf8' });
      return printed.split('\n').map((entry) => entry.split('\t')[0] ?? '');
    };
    assert.ok(offered('flow-proxy doc').includes('doctor'));
    assert.ok(offered('flow-proxy keys ro').includes('rotate'));
    assert.ok(offered('flow-proxy doctor --li').includes('--live'));
    assert.ok(offered('flow-proxy --log-level WA').includes('WARNING'));
  });

  test('zsh offers commands, options and values', () => {
    /** The functions that zsh calls to offer something are replaced by some that print it. */
    const offered = (...words: string[]): string => {
      const line = ['flow-proxy', ...words].map((word) => `'${word}'`).join(' ');
      const program = `
compdef() { }
compadd() { print -l -- "$@" }
_files() { print FILES }
_describe() { [[ $1 == -o ]] && shift; print -l -- "\${(P@)2}" }
source ${folder}/zsh
words=(${line}); CURRENT=\${#words}; _flow_proxy`;
      return execFileSync('zsh', ['-f', '-c', program], { encoding: 'utf8' });
    };
    assert.match(offered(''), /^doctor:/m);
    assert.match(offered('keys', ''), /^rotate:make a new key/m);
    assert.match(offered('doctor', ''), /^--live:/m);
    assert.doesNotMatch(offered('check', ''), /^--live:/m);
    assert.match(offered('--log-level', ''), /^WARNING$/m);
    assert.match(offered('--secrets-file', ''), /FILES/);
  });
});
