import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newRequestId } from '../../../src/proxy/request-id.ts';

it('request ids are UUIDs of version 4, and no two are the same, nor begin as their neighbour does', () => {
  const ids = Array.from({ length: 200_000 }, newRequestId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [index, id] of ids.entries()) {
    assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    assert.notEqual(id.slice(0, 2), ids[index + 1]?.slice(0, 2));
  }
});
