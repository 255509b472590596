import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignSockets } from '../../../src/control/foreign-sockets.ts';
import type { SocketPlace } from '../../../src/control/socket-path.ts';

const PLACE: SocketPlace = {
  asked: 'auto',
  cwd: '/',
  port: 8899,
  environment: {},
  temporaryFolder: '/tmp',
  uid: 1000,
};
/** As in /proc/net/unix of Linux 6.1. */
const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 30001 /tmp/flow-proxy-1001/control-8899.sock
0000000000000000: 00000003 00000000 00000000 0001 03 30002 /tmp/flow-proxy-1001/control-8899.sock
0000000000000000: 00000002 00000000 00010000 0001 01 30003 /run/user/1002/flow-proxy/control-8899.sock
0000000000000000: 00000003 00000000 00000000 0001 03 30004 /tmp/flow-proxy-1003/control-8899.sock
0000000000000000: 00000002 00000000 00010000 0001 01 30005 /tmp/flow-proxy-1004/control-9000.sock
0000000000000000: 00000002 00000000 00010000 0001 01 30006 /tmp/flow-proxy-1000/control-8899.sock
0000000000000000: 00000002 00000000 00010000 0001 01 30007 /srv/other/control-8899.sock
0000000000000000: 00000003 00000000 00000000 0001 03 30008
`;

test('services of other users at the same port are found, once each, and nothing else', () => {
  assert.deepEqual(foreignSockets(PLACE, TABLE), [
    '/tmp/flow-proxy-1001/control-8899.sock',
    '/run/user/1002/flow-proxy/control-8899.sock',
  ]);
});

test('a socket that was named is the only one that counts', () => {
  assert.deepEqual(foreignSockets({ ...PLACE, asked: '/x/control.sock' }, TABLE), []);
});
