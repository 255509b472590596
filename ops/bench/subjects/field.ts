// Who is compared: flow-proxy, the yardstick, and of the proxies in C those that are installed.
import { bareHttpProxy } from './bare-http-proxy.ts';
import { flowProxy } from './flow-proxy.ts';
import { HAPROXY } from './haproxy.ts';
import { NGINX } from './nginx.ts';
import type { Subject } from './subject.ts';

export function field(): Subject[] {
  return [flowProxy(), bareHttpProxy(), NGINX, HAPROXY].filter(({ version }) => version !== null);
}

export function fieldWithoutHaproxy(): Subject[] {
  return field().filter(({ name }) => name !== HAPROXY.name);
}
