import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesAny } from '../../../src/clients/model-patterns.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

describe('a pattern of models', () => {
  const cases: [pattern: string, matching: readonly string[], others: readonly string[]][] = [
    ['gpt-4o', ['gpt-4o'], ['gpt-4', 'gpt-4o-mini', 'GPT-4o', '']],
    ['gpt-4o*', ['gpt-4o', 'gpt-4o-mini'], ['gpt-4', 'my-gpt-4o']],
    ['*sonnet', ['claude-4-5-sonnet', 'sonnet'], ['sonnet-4']],
    ['anthropic.*-sonnet', ['anthropic.claude-4-sonnet', 'anthropic.-sonnet'], ['anthropic.claude-4-opus']],
    ['a*b*c', ['abc', 'a-b-c', 'abbbc', 'axbxbxc'], ['ac', 'acb', 'ab', 'bc']],
    ['ab*ba', ['abba', 'abxba'], ['aba']],
    ['*', ['', 'anything', 'a/b'], []],
    ['a.c', ['a.c'], ['abc']],
  ];
  for (const [pattern, matching, others] of cases) {
    it(`${pattern} stands for exactly the names it spells, * being any text`, () => {
      for (const name of matching) assert.equal(matchesAny([pattern], name), true, name);
      for (const name of others) assert.equal(matchesAny([pattern], name), false, name);
    });
  }

  it('is one of several', () => {
    assert.equal(matchesAny(['gpt-*', 'o3-mini'], 'o3-mini'), true);
    assert.equal(matchesAny([], 'o3-mini'), false);
  });

  it('costs little, whatever pattern and name are', () => {
    const ms = cpuMsOf(() => {
      assert.equal(matchesAny(['a*'.repeat(60)], 'a'.repeat(512).concat('b')), true);
      assert.equal(matchesAny([`${'a*'.repeat(60)}c`], 'a'.repeat(512)), false);
    });
    assert.ok(ms < 100, `${ms} ms`);
  });
});
