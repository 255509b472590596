// Every unit test in this one process: a process for each file takes three times the processor time.
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('src/', import.meta.url);
/** A simulation that takes seconds of plain computing: by itself, and not on every version of Node. */
const LONG = 'credentials/pool-and-ledger.test.js';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const tests = files.filter((file) => file.endsWith('.test.js') && file !== LONG).sort();
if (tests.length < 80) throw new Error(`only ${tests.length} unit tests in ${folder.pathname}`);
// What files do after their tests is done once nothing is left to run: not while some are still to be read.
let onRead: () => void = () => {};
const read = new Promise<void>((resolve) => {
  onRead = resolve;
});
test('every unit test is read', () => read);
for (const file of tests) await import(new URL(file, folder).href);
onRead();
