import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_REWRITE_RULES, type RewriteRule } from '../../../../src/config/rewrite-rules.ts';
import { RewriteRules, withoutParameters } from '../../../../src/proxy/rewrite/rules.ts';

const rule = (path: string, part: Partial<RewriteRule> = {}): RewriteRule => ({
  name: path,
  path,
  removeHeaders: [],
  removeBody: [],
  removeQuery: [],
  ...part,
});

describe('rewrite rules', () => {
  it('by default take out of the Messages API what the upstream refuses, and nothing anywhere else', () => {
    const rules = new RewriteRules(DEFAULT_REWRITE_RULES);
    const forClaudeCode = { headers: ['anthropic-beta'], body: [['context_management']], query: [] };
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      assert.deepEqual(rules.removalsFor(path), forClaudeCode, path);
    }
    for (const path of ['/v1/messagesX', '/v1/message', '/v1/chat/completions', '/', '/x/v1/messages']) {
      assert.deepEqual(rules.removalsFor(path), { headers: [], body: [], query: [] }, path);
    }
  });

  it('match a whole path, or all that begins with it when it ends in a star', () => {
    const rules = new RewriteRules([rule('/a', { removeQuery: ['x'] }), rule('/b*', { removeQuery: ['y'] })]);
    const queries = ['/a', '/a/', '/b', '/bc', '/b/c', '/'].map((path) => rules.removalsFor(path).query);
    assert.deepEqual(queries, [['x'], [], ['y'], ['y'], ['y'], []]);
  });

  it('add up when several match, and are the same when asked again', () => {
    const rules = new RewriteRules([
      rule('/a', { removeHeaders: ['h1'], removeBody: ['m.*.k'] }),
      rule('/*', { removeHeaders: ['h2'], removeBody: ['n'] }),
    ]);
    const expected = { headers: ['h1', 'h2'], body: [['m', '*', 'k'], ['n']], query: [] };
    assert.deepEqual(rules.removalsFor('/a'), expected);
    assert.deepEqual(rules.removalsFor('/a'), expected);
  });

  it('match however many paths have been asked for before', () => {
    const rules = new RewriteRules([rule('/x/*', { removeQuery: ['q'] })]);
    for (let i = 0; i < 2_000; i += 1) rules.removalsFor(`/${i}`);
    assert.deepEqual(rules.removalsFor('/x/new').query, ['q']);
    assert.deepEqual(rules.removalsFor('/y/new').query, []);
  });
});

describe('a query', () => {
  it('loses the named parameters, every one of them, and no other byte', () => {
    assert.equal(withoutParameters('?a=1&beta=true&b=%20+&beta', ['beta']), '?a=1&b=%20+');
    assert.equal(withoutParameters('?beta=true', ['beta']), '');
    assert.equal(withoutParameters('?a=1', ['beta']), '?a=1');
    assert.equal(withoutParameters('?a&&=x&beta=a=b', ['beta']), '?a&&=x');
    assert.equal(withoutParameters('', ['beta']), '');
  });

  it('loses them also when their names are encoded, and stands names that cannot be decoded', () => {
    assert.equal(withoutParameters('?b%65ta=1&a+b=2&%zz=3&betas=4', ['beta', 'a b']), '?%zz=3&betas=4');
  });
});
