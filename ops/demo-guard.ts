// Loaded into the flow-proxy of the demo before its own code: when the demo is gone without having ended it, as by
// `kill -9`, it drains and goes, and takes along the folder that was made for it.
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

// Threads load it, too.
if (isMainThread) {
  const folder = process.cwd();
  const demo = new Socket({ fd: 0 });
  demo.once('close', () => {
    rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, 'SIGTERM');
  });
  demo.resume().unref();
}
