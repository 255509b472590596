import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DEFAULT_REWRITE_RULES, loadRewriteRules } from '../../../src/config/rewrite-rules.ts';
import { ConfigError } from '../../../src/errors.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-rules-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(content: unknown): string {
  const path = join(mkdtempSync(join(root, 'file-')), 'rules.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const load = (content: unknown) => loadRewriteRules(write(content));

/** The problems of a file, without what names the file. */
function problemsOf(content: unknown): string[] {
  const path = write(content);
  try {
    loadRewriteRules(path);
  } catch (cause) {
    assert.ok(cause instanceof ConfigError);
    const where = `FLOW_PROXY_REWRITE_RULES_FILE "${path}" `;
    return cause.problems.map((problem) => {
      assert.ok(problem.startsWith(where), problem);
      return problem.slice(where.length);
    });
  }
  return assert.fail('the rules were accepted');
}

describe('rewrite rules', () => {
  it('are by default those that let Claude Code work', () => {
    assert.equal(loadRewriteRules(null), DEFAULT_REWRITE_RULES);
    assert.deepEqual(
      DEFAULT_REWRITE_RULES.map(({ path, removeHeaders, removeBody, removeQuery }) => [
        path,
        removeHeaders,
        removeBody,
        removeQuery,
      ]),
      [
        ['/v1/messages', ['anthropic-beta'], ['context_management'], []],
        ['/v1/messages/*', ['anthropic-beta'], ['context_management'], []],
      ],
    );
  });

  it('of a file replace the built-in ones, and an empty list switches the filter off', () => {
    assert.deepEqual(load([]), []);
    assert.deepEqual(
      load([{ name: 'mine', path: '/v1/*', removeHeaders: ['X-Debug'], removeBody: ['a.*.b'] }]),
      [{ name: 'mine', path: '/v1/*', removeHeaders: ['x-debug'], removeBody: ['a.*.b'], removeQuery: [] }],
    );
  });

  it('may begin with a byte order mark and go without a name', () => {
    assert.equal(load('\uFEFF[{"path":"/","removeQuery":["beta"]}]')[0]?.name, 'unnamed');
  });
});

describe('problems of a rules file', () => {
  it('say when it is missing, no JSON or no array', () => {
    const missing = join(root, 'missing.json');
    assert.throws(() => loadRewriteRules(missing), /FLOW_PROXY_REWRITE_RULES_FILE ".*missing\.json"/);
    assert.match(problemsOf('[').join(), /JSON/);
    assert.deepEqual(problemsOf({}), ['must hold a JSON array of rules']);
  });

  it('are listed all at once, each with the number of its rule', () => {
    const problems = problemsOf([
      'x',
      { path: 'v1' },
      { path: '/a', remove: ['x'], removeBody: 'x', removeQuery: [''] },
      { path: '/fine', removeQuery: ['x'] },
      { removeHeaders: ['Authorization', 'x', 'HOST'] },
      null,
    ]);
    assert.deepEqual(problems, [
      'rule 0 must be an object',
      'rule 1: path must start with "/" and may end in "*", got "v1"',
      'rule 1 removes nothing: give removeHeaders or removeBody or removeQuery',
      'rule 2: unknown field "remove", known are name, path, removeHeaders, removeBody, removeQuery',
      'rule 2: removeBody must be an array of non-empty strings, got "x"',
      'rule 2: removeQuery must be an array of non-empty strings, got [""]',
      'rule 4: path must start with "/" and may end in "*", got undefined',
      'rule 4: removeHeaders must not name "authorization"',
      'rule 4: removeHeaders must not name "host"',
      'rule 5 must be an object',
    ]);
  });

  it('include a path with a star in the middle, a query or a fragment', () => {
    for (const path of ['/a*b', '/a**', '/a?b', '/a#b', '*', '', 7]) {
      assert.match(
        problemsOf([{ path, removeQuery: ['x'] }]).join(),
        /^rule 0: path must start with/,
        String(path),
      );
    }
  });
});
