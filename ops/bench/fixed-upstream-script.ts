// The fixed upstream where nginx is missing. Arguments: port, answer, and for TLS the files of certificate and key.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { COUNT_PATH } from './subjects/nginx.ts';

const [port = '0', answer = '', cert, key] = process.argv.slice(2);
const head = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(answer))];
const server =
  cert === undefined || key === undefined
    ? http.createServer(reply)
    : https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, reply);
server.keepAliveTimeout = 600_000;
server.listen(Number(port), '127.0.0.1', 4_096);

let requests = 0;

function reply(request: http.IncomingMessage, response: http.ServerResponse): void {
  requests += 1;
  request.resume();
  // As nginx's stub_status has it: accepted, handled, requests.
  if (request.url === COUNT_PATH) response.end(` ${requests} ${requests} ${requests} `);
  else request.once('end', () => response.writeHead(200, head).end(answer));
}
