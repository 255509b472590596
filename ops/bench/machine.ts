// In one line: on what, and with which versions, something was measured.
import { cpus, totalmem } from 'node:os';
import { versionOf } from './commands.ts';
import { bareHttpProxy } from './subjects/bare-http-proxy.ts';
import { HAPROXY } from './subjects/haproxy.ts';
import { NGINX_VERSION } from './subjects/nginx.ts';

export function describeMachine(now: Date): string {
  const processors = cpus();
  const programs = [
    `Node ${process.versions.node}`,
    `http-proxy ${bareHttpProxy().version}`,
    NGINX_VERSION === null ? 'no nginx' : `nginx ${NGINX_VERSION}`,
    HAPROXY.version === null ? 'no HAProxy' : `HAProxy ${HAPROXY.version}`,
    `load by ${versionOf('wrk', ['-v']) === null ? 'autocannon' : `wrk ${versionOf('wrk', ['-v'])}`}`,
  ];
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${now.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory}; ${programs.join(', ')}.`;
}
