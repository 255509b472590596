// Runs http-proxy as its README shows it, plus the keep-alive agent without which it opens a connection per request.
// Arguments: port, upstream, workers, and optionally the file of a certificate authority.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import httpProxy from 'http-proxy';

const [port = '0', target = '', workers = '1', caFile] = process.argv.slice(2);
if (Number(workers) > 1 && cluster.isPrimary) {
  for (let worker = 0; worker < Number(workers); worker += 1) cluster.fork();
} else serve();

function serve(): void {
  const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  const agent =
    caFile === undefined
      ? new http.Agent(options)
      : new https.Agent({ ...options, ca: readFileSync(caFile) });
  const proxy = httpProxy.createProxyServer({ target, agent });
  proxy.on('error', (_cause, _request, response) => response.end());
  http.createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
}
