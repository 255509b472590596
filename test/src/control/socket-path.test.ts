import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathsToAsk, pathsToServe, type SocketPlace } from '../../../src/control/socket-path.ts';

const place = (changes: Partial<SocketPlace> = {}): SocketPlace => ({
  asked: 'auto',
  cwd: '/home/me',
  port: 8899,
  environment: {},
  temporaryFolder: '/tmp',
  uid: 1000,
  ...changes,
});

describe('the control socket', () => {
  it('is where the setting says, and nowhere else', () => {
    const asked = place({ asked: 'my.sock' });
    assert.deepEqual(pathsToServe(asked, 7), [{ path: '/home/me/my.sock', hasOwnFolder: false }]);
    assert.deepEqual(pathsToAsk(asked), ['/home/me/my.sock']);
  });

  it("is in systemd's runtime folder, else the user's own, else below the temporary one", () => {
    const environment = { RUNTIME_DIRECTORY: '/run/flow:/run/other', XDG_RUNTIME_DIR: '/run/user/1000' };
    assert.deepEqual(
      pathsToServe(place({ environment }), 7).map(({ path }) => path),
      [
        '/run/flow/control.sock',
        '/run/user/1000/flow-proxy/control-8899.sock',
        '/tmp/flow-proxy-1000/control-8899.sock',
      ],
    );
  });

  it('is looked for at the same places and at that of the shipped unit', () => {
    assert.deepEqual(pathsToAsk(place()), [
      '/run/flow-proxy/control.sock',
      '/tmp/flow-proxy-1000/control-8899.sock',
    ]);
  });

  it('of a service on a free port has the pid in its name', () => {
    assert.equal(pathsToServe(place({ port: 0 }), 7)[0]?.path, '/tmp/flow-proxy-1000/control-7.sock');
  });
});
