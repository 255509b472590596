// `flow-proxy completion` and `man`: what shells and readers are told follows from the program.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { Command, Option } from 'commander';
import { commandTree } from '../../src/cli/command-tree.ts';
import { completionScript } from '../../src/cli/completion.ts';
import { runFlowProxy } from '../harness/command.ts';

describe('completion for bash', () => {
  let script: string;
  before(async () => {
    const { code, stdout } = await runFlowProxy({ args: ['completion', 'bash'] });
    assert.equal(code, 0);
    script = stdout;
  });

  /** What bash offers for the last word of a line. */
  function offered(...words: string[]): string[] {
    const line = ['flow-proxy', ...words];
    const program = `${script}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _flow_proxy
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const printed = execFileSync('bash', ['-c', program], { encoding: 'utf8', cwd: '/usr' });
    return printed.split('\n').filter(Boolean);
  }

  test('offers commands, and commands of commands', () => {
    assert.deepEqual(offered('he'), ['healthcheck']);
    for (const name of ['check', 'doctor', 'keys', 'status', 'top', 'credential', 'completion'])
      assert.ok(offered('').includes(name), name);
    assert.deepEqual(offered('keys', 'r'), ['revoke', 'rotate']);
    assert.deepEqual(offered('credential', 'dis'), ['disable']);
  });

  test('offers the options of the command, and not those of another', () => {
    assert.deepEqual(offered('--target'), ['--target-url']);
    assert.ok(offered('doctor', '--').includes('--live'));
    assert.ok(!offered('check', '--').includes('--live'));
    assert.ok(offered('credential', 'disable', 'x', '--').includes('--force'));
  });

  test('offers values: words where there is a choice, files where a file belongs', () => {
    assert.deepEqual(offered('--log-level', 'W'), ['WARNING']);
    assert.deepEqual(offered('log-level', 'E'), ['ERROR']);
    assert.deepEqual(offered('completion', ''), ['bash', 'zsh', 'fish']);
    assert.deepEqual(offered('--secrets-file', 'bi'), ['bin']);
    assert.deepEqual(offered('--port', ''), []);
  });
});

test('a command that is added is in every script by itself', () => {
  const program = new Command('flow-proxy');
  program
    .command('dance')
    .description("it's new")
    .addOption(new Option('--style <slow|fast>', 'how'))
    .addOption(new Option('--secret-step', 'hidden').hideHelp());
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(commandTree(program), shell);
    for (const word of ['dance', 'slow', 'fast']) assert.ok(script.includes(word), `${shell}: ${word}`);
    assert.ok(!script.includes('secret-step'));
  }
});

test('an unknown shell is refused with the known ones', async () => {
  const { code, stderr } = await runFlowProxy({ args: ['completion', 'tcsh'] });
  assert.deepEqual([code, /bash, zsh, fish/.test(stderr)], [64, true]);
});

test('the manual page has every command, every setting and the exit codes', async () => {
  const { code, stdout } = await runFlowProxy({ args: ['man'] });
  assert.equal(code, 0);
  assert.match(stdout, /^\.TH FLOW/);
  for (const part of ['flow\\-proxy keys add', 'flow\\-proxy doctor', 'FLOW_PROXY_DRAIN_TIMEOUT', '.B 78'])
    assert.ok(stdout.includes(part), part);
});
