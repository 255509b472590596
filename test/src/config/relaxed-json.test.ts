import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRelaxedJson } from '../../../src/config/relaxed-json.ts';

describe('parseRelaxedJson', () => {
  it('takes comments and trailing commas', () => {
    assert.deepEqual(parseRelaxedJson('// hi\n[1, {a: 2,}, /* there */]'), { value: [1, { a: 2 }] });
  });

  it('names line and column of a fault, and quotes nothing', () => {
    assert.deepEqual(parseRelaxedJson('{\n  "a": CANARY\n}'), { fault: 'not valid JSON (line 2, column 8)' });
    assert.deepEqual(parseRelaxedJson(''), { fault: 'not valid JSON (line 1, column 1)' });
  });
});
