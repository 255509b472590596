import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readSecretsFile } from '../../../src/credentials/secrets-file.ts';
import { ConfigError } from '../../../src/errors.ts';

const CANARY = 'CANARY-8f2e';
const root = mkdtempSync(join(tmpdir(), 'flow-proxy-secrets-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(content: unknown, mode = 0o600): string {
  const path = join(mkdtempSync(join(root, 'file-')), 'secrets.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return path;
}

const read = (content: unknown) => readSecretsFile(write(content));

/** The problems of a file; on the way, no message of any test may hold the canary. */
function problemsOf(path: string): readonly string[] {
  try {
    readSecretsFile(path);
  } catch (cause) {
    assert.ok(cause instanceof ConfigError);
    assert.ok(!String(cause.stack).includes('CANARY') && !JSON.stringify(cause).includes('CANARY'));
    assert.ok(cause.message.startsWith(`${path}: `));
    return cause.problems;
  }
  return assert.fail('the file was accepted');
}

const refused = (content: unknown): readonly string[] => problemsOf(write(content));

const entry = (part: object = {}) => ({ clientId: 'id', clientSecret: CANARY, tenant: 'flow', ...part });

describe('a good secrets file', () => {
  it('gives its credentials, with a default name and weight', () => {
    const { credentials, warnings } = read([entry({ name: 'one', weight: 2.5 }), entry({ clientId: 'id2' })]);
    assert.deepEqual(
      credentials.map(({ id: _, ...rest }) => rest),
      [
        { ...entry(), name: 'one', weight: 2.5 },
        { ...entry(), clientId: 'id2', name: 'config2', weight: 1 },
      ],
    );
    assert.deepEqual(warnings, []);
  });

  it('may have a byte order mark, comments and trailing commas', () => {
    const text = `\uFEFF// ours\n[{clientId: 'a', /* x */ "clientSecret": "${CANARY}", tenant: 't',},]`;
    assert.equal(read(text).credentials[0]?.clientId, 'a');
  });

  it('may hold agent and appToAccess, which are not kept', () => {
    const { credentials, warnings } = read([entry({ agent: 'chat', appToAccess: 'llm-api' })]);
    assert.deepEqual(warnings, []);
    const fields = ['clientId', 'clientSecret', 'id', 'name', 'tenant', 'weight'];
    assert.deepEqual(Object.keys(credentials[0] ?? {}).sort(), fields);
  });

  it('never gives a default name that another entry has', () => {
    const names = read([
      entry({ name: 'config2' }),
      entry({ clientId: 'b' }),
      entry({ clientId: 'c' }),
    ]).credentials;
    assert.deepEqual(
      names.map(({ name }) => name),
      ['config2', 'config2-2', 'config3'],
    );
  });

  it('gives ids that change with each of clientId, tenant and secret, and only with these', () => {
    const idOf = (part: object) => read([entry(part)]).credentials[0]?.id ?? '';
    const ids = [{}, { clientId: 'x' }, { tenant: 'x' }, { clientSecret: 'x' }].map(idOf);
    assert.equal(new Set(ids).size, 4);
    assert.equal(idOf({ name: 'other', weight: 7 }), ids[0]);
    for (const id of ids) assert.match(id, /^[0-9a-f]{12}$/);
  });
});

describe('a repeated entry', () => {
  it('adds its weight to the first, under the first name', () => {
    const { credentials, warnings } = read([
      entry({ name: 'a' }),
      entry({ weight: 3 }),
      entry({ name: 'a' }),
    ]);
    assert.deepEqual(
      credentials.map(({ name, weight }) => [name, weight]),
      [['a', 5]],
    );
    assert.deepEqual(warnings, []);
  });

  it('takes its name when the first has none', () => {
    assert.equal(read([entry(), entry({ name: 'late' })]).credentials[0]?.name, 'late');
  });

  it('is warned about when its name differs', () => {
    const { credentials, warnings } = read([entry({ name: 'a' }), entry({ name: 'b' })]);
    assert.equal(credentials.length, 1);
    assert.deepEqual(warnings, ['"a" and "b" are the same credential; "a" gets the weight of both']);
  });
});

describe('a secrets file that cannot be read', () => {
  it('says how to make it when it is missing', () => {
    const [problem] = problemsOf(join(root, 'missing.json'));
    assert.match(
      problem ?? '',
      /no such file; make one with `cp secrets\.json\.template \S+missing\.json && chmod 600 /,
    );
  });

  it('names the file as typed when it would be in the working directory', () => {
    const [problem] = problemsOf(join(process.cwd(), 'no-such-secrets.json'));
    assert.ok(
      problem?.includes(
        '`cp secrets.json.template no-such-secrets.json && chmod 600 no-such-secrets.json`, then fill it in',
      ),
    );
  });

  it('says so when it is a folder or too large', () => {
    assert.deepEqual(problemsOf(root), [
      'is a folder, not a file; Docker makes one when the file to mount is not there',
    ]);
    assert.deepEqual(refused(`[${' '.repeat(1024 * 1024)}]`), ['is larger than 1048576 bytes']);
  });

  it('names line and column when it is not JSON, and quotes nothing of it', () => {
    assert.deepEqual(refused(`[\n  {"clientSecret": ${CANARY}}\n]`), ['not valid JSON (line 2, column 20)']);
    assert.match(refused(`[{"clientSecret": "${CANARY}`)[0] ?? '', /^not valid JSON \(line 1, column \d+\)$/);
  });
});

describe('a secrets file with bad content', () => {
  it('is refused when it is no array or an empty one', () => {
    assert.deepEqual(refused(entry()), ['must be an array of credentials: [{ … }, { … }]']);
    assert.deepEqual(refused([]), ['holds no credentials; add at least one']);
  });

  it('gets all its problems reported at once, with position and name', () => {
    const problems = refused([
      CANARY,
      null,
      [entry()],
      { name: 'half', clientSecret: CANARY, tenant: ' ' },
      entry({ clientId: 7, clientSecret: [CANARY], tenant: null }),
      entry({ clientSecret: `${CANARY}\n`, weight: 0 }),
    ]);
    assert.deepEqual(problems, [
      'entry 1: must be an object with clientId, clientSecret, tenant',
      'entry 2: must be an object with clientId, clientSecret, tenant',
      'entry 3: must be an object with clientId, clientSecret, tenant',
      'entry 4 ("half"): clientId is missing',
      'entry 4 ("half"): tenant is blank',
      'entry 5: clientId must be a text in quotes',
      'entry 5: clientSecret must be a text in quotes',
      'entry 5: tenant must be a text in quotes',
      'entry 6: clientSecret begins or ends with white space, probably from pasting; remove it',
      'entry 6: weight must be a number above 0 and up to 1000, not 0',
    ]);
  });

  it('is told what a mistyped field should be', () => {
    assert.deepEqual(refused([{ client_id: 'a', clientSecret: CANARY, tenant: 't' }]), [
      'entry 1: clientId is missing (is it what "client_id" should be?)',
    ]);
  });

  it('is refused for a name that would break log lines or give the secret away', () => {
    const cases: readonly [name: unknown, problem: RegExp][] = [
      ['', /not blank/],
      [' ', /not blank/],
      [null, /not blank/],
      [5, /not blank/],
      ['x'.repeat(65), /longer than 64 characters/],
      ["it's", /quote/],
      ['"a"', /quote/],
      ['a\nb', /break log lines/],
      ['a\u001b[31m', /break log lines/],
      [`prod ${CANARY}`, /must not hold the clientSecret/],
    ];
    for (const [name, expected] of cases) {
      const problems = refused([entry({ name })]);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', expected);
      assert.match(problems[0] ?? '', /^entry 1: name /);
    }
  });

  it('is refused for a weight that is not a number above 0 and up to 1000', () => {
    const weights = ['0', '-1', '1000.5', 'Infinity', 'NaN', '"2"', 'null', 'true'];
    for (const weight of weights) {
      const text = `[{clientId: 'a', clientSecret: '${CANARY}', tenant: 't', weight: ${weight}}]`;
      assert.match(refused(text).join(), /^entry 1: weight must be a number above 0 and up to 1000/, weight);
    }
  });

  it('is refused when one name stands for different credentials', () => {
    assert.deepEqual(refused([entry({ name: 'a' }), entry(), entry({ name: 'a', tenant: 'other' })]), [
      'entries 1 and 3: both are named "a" but are different credentials; give each its own name',
    ]);
  });

  it('has that told beside other mistakes, be they in the same entries', () => {
    assert.deepEqual(
      refused([entry({ name: 'a', weight: 0 }), { ...entry({ name: 'a' }), tenant: undefined }]),
      [
        'entry 1 ("a"): weight must be a number above 0 and up to 1000, not 0',
        'entry 2 ("a"): tenant is missing',
        'entries 1 and 2: both are named "a" but are different credentials; give each its own name',
      ],
    );
    assert.deepEqual(refused([entry({ name: 'a', weight: 0 }), entry({ name: 'a' })]), [
      'entry 1 ("a"): weight must be a number above 0 and up to 1000, not 0',
    ]);
  });

  it('is refused while it holds the placeholders of the template', () => {
    const template = readFileSync(join(repositoryRoot(), 'secrets.json.template'), 'utf8');
    const problems = refused(template);
    assert.equal(problems.length, 6);
    for (const problem of problems) assert.match(problem, /is still the placeholder of the template/);
    assert.match(refused([entry({ tenant: '<tenant>' })]).join(), /placeholder/);
  });
});

describe('warnings about a secrets file', () => {
  it('name unknown fields, unless the name itself may be something pasted', () => {
    const { warnings } = read([entry({ name: 'a', wieght: 2, [`${CANARY}`]: 1 })]);
    const known = 'known are name, clientId, clientSecret, tenant, weight, agent, appToAccess';
    assert.deepEqual(warnings, [
      `entry 1 ("a"): unknown field "wieght" is ignored; ${known}`,
      `entry 1 ("a"): unknown field (name not shown) is ignored; ${known}`,
    ]);
  });

  it('come beside mistakes, too', () => {
    const path = write([entry({ tenant: '', wieght: 2 })], 0o644);
    assert.throws(
      () => readSecretsFile(path),
      (cause) => cause instanceof ConfigError && cause.warnings.length === 2,
    );
  });

  it('name the chmod to root also for a file of another user', { skip: process.getuid?.() !== 0 }, () => {
    const path = write([entry()], 0o640);
    chownSync(path, 1000, 1000);
    assert.match(readSecretsFile(path).warnings.join(), /mode 0640.*`chmod 600 /);
  });

  it('name the chmod when others than the owner may open it', () => {
    for (const mode of [0o640, 0o604, 0o644, 0o666]) {
      const path = write([entry()], mode);
      const { credentials, warnings } = readSecretsFile(path);
      assert.equal(credentials.length, 1);
      assert.deepEqual(warnings, [
        `${path} is open to others than its owner (mode 0${mode.toString(8)}); close it with \`chmod 600 ${path}\``,
      ]);
    }
    assert.deepEqual(readSecretsFile(write([entry()], 0o400)).warnings, []);
  });
});

/** The nearest folder above that holds the template, also from within dist/. */
function repositoryRoot(from: string = import.meta.dirname): string {
  try {
    readFileSync(join(from, 'package.json'));
    return from;
  } catch (cause) {
    if (dirname(from) === from) throw cause;
    return repositoryRoot(dirname(from));
  }
}
