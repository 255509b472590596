import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { storedHash } from '../../../src/clients/client-key.ts';
import { readKeysFile } from '../../../src/clients/keys-file.ts';
import type { LogFields, Logger } from '../../../src/logging/logger.ts';
import { ClientKeeper } from '../../../src/supervisor/client-keeper.ts';

/** A keeper of a file with these keys, and what it logged and published. */
function keeperOf(t: TestContext, ...keys: readonly object[]) {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-keeper-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys.json');
  const write = (...entries: readonly object[]): void =>
    writeFileSync(file, JSON.stringify({ keys: entries }));
  write(...keys);
  const lines: string[] = [];
  const versions: number[] = [];
  const note =
    (level: string) =>
    ({ msg }: LogFields): void => {
      lines.push(`${level} ${msg}`);
    };
  const log: Logger = {
    debug: note('DEBUG'),
    info: note('INFO'),
    warning: note('WARNING'),
    error: note('ERROR'),
  };
  const keeper = new ClientKeeper({
    file,
    entries: readKeysFile(file),
    log,
    publish: () => versions.push(keeper.snapshot.version),
  });
  return { keeper, write, lines, versions };
}

const key = (name: string, limits: object = {}): object => ({ name, hash: storedHash(name), ...limits });

describe('the keeper of client keys', () => {
  it('publishes a snapshot of a higher version when something has changed, and says what', (t) => {
    const { keeper, write, lines, versions } = keeperOf(t, key('a'), key('b'));
    assert.equal(keeper.snapshot.version, 1);
    write(key('b', { concurrent: 1 }), key('c'));
    keeper.reread();
    keeper.reread();
    assert.deepEqual(versions, [2]);
    assert.deepEqual(lines, ['INFO Client keys changed: added c; changed b; removed a; 2 now']);
    assert.deepEqual(
      keeper.snapshot.keys.map(({ name, isLimited }) => [name, isLimited]),
      [
        ['b', true],
        ['c', false],
      ],
    );
  });

  it('keeps the keys when the file is broken', (t) => {
    const { keeper, write, lines, versions } = keeperOf(t, key('a'));
    write({ name: 'a' });
    keeper.reread();
    assert.match(lines.join(), /^ERROR The client keys stay as they are: .*key 1 \("a"\): hash must be/);
    assert.deepEqual(versions, []);
    assert.equal(keeper.snapshot.keys.length, 1);
  });

  it('lets no more in at a time than the key allows, until an exchange or its worker ends', (t) => {
    const { keeper } = keeperOf(t, key('a', { concurrent: 1 }));
    const admit = (worker: number, admission: number): string =>
      keeper.admit({ worker, admission }, 'a').type;
    assert.equal(admit(1, 1), 'admitted');
    assert.equal(admit(2, 1), 'refused');
    keeper.release({ worker: 1, admission: 1 });
    assert.equal(admit(2, 2), 'admitted');
    keeper.onWorkerGone(2);
    assert.equal(admit(1, 2), 'admitted');
  });

  it('adds up what all workers turned away, also those that are gone', (t) => {
    const { keeper } = keeperOf(t, key('a'));
    keeper.onRefusals(1, { address: 0, key: 2, model: 0, limit: 1 });
    keeper.onRefusals(2, { address: 1, key: 1, model: 0, limit: 0 });
    keeper.onRefusals(2, { address: 1, key: 3, model: 0, limit: 0 });
    keeper.onWorkerGone(2);
    assert.deepEqual(keeper.refusals, { address: 1, key: 5, model: 0, limit: 1 });
  });

  it('notices by itself that the file was changed', async (t) => {
    const { keeper, write, versions } = keeperOf(t, key('a'));
    t.after(() => keeper.stop());
    keeper.start();
    write(key('a'), key('b'));
    while (versions.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(keeper.snapshot.keys.length, 2);
  });
});
