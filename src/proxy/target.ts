// Turns the request-target a client sent into the path that goes to the upstream, or says why it must not.
import type { ErrorReply } from './dialect.ts';
import { pathFault } from './path-readings.ts';
import { URL_TOO_LONG } from './protocol-errors.ts';

/** Where requests go: the parts of FLOW_PROXY_TARGET_URL. */
export interface Target {
  readonly origin: string;
  readonly hostname: string;
  readonly port: string;
  /** Value of the Host header. */
  readonly host: string;
  /** Path of the base without a slash at its end; `''` when the target has none. */
  readonly basePath: string;
}

/** An accepted request-target. */
export interface RequestPath {
  /** Path relative to the base, without the query: what rules, routes and logs speak of. */
  readonly path: string;
  /** The query with its `?`, or `''`. */
  readonly query: string;
  /** True when the client named the upstream itself (`curl -x`): never one of our local routes. */
  readonly isForward: boolean;
}

/** In characters. */
export const LONGEST_TARGET = 16_384;

/** @throws TypeError when the URL is not one */
export function parseTarget(targetUrl: string): Target {
  const url = new URL(targetUrl);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return {
    origin: url.origin,
    hostname: url.hostname,
    port,
    host: url.host,
    basePath: url.pathname.replace(/\/+$/, ''),
  };
}

/** For the log line of a request whose target could not be read: its path may hold anything. */
export function unreadablePath(raw: string): RequestPath {
  const path = raw.split(/[?#]/, 1)[0] ?? '';
  return { path: path.replace(/\/\/[^/]*@/, '//'), query: '', isForward: true };
}

/** Checks a request-target in origin form, or in absolute form when it names the upstream. */
export function readRequestTarget(raw: string, target: Target): RequestPath | ErrorReply {
  if (raw.length > LONGEST_TARGET) return URL_TOO_LONG;
  if (raw.startsWith('/')) return notAuthority(split(raw, false), target);
  const absolute = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(raw);
  if (absolute === null) return invalid('The request target is neither a path nor an http:// URL.');
  const [, scheme = '', authority = '', rest = ''] = absolute;
  const refusal = checkAuthority(scheme, authority, target);
  if (refusal !== undefined) return refusal;
  return notAuthority(inBase(split(rest.startsWith('/') ? rest : `/${rest}`, true), target), target);
}

function split(raw: string, isForward: boolean): RequestPath | ErrorReply {
  if (raw.includes('#')) return invalid('The request target has a fragment ("#").');
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  const fault = pathFault(path);
  if (fault !== null) return invalid(fault);
  return { path, query: mark < 0 ? '' : raw.slice(mark), isForward };
}

/** Without a base path in front of it, the upstream might read `//host/…` as a URL without its scheme. */
function notAuthority(request: RequestPath | ErrorReply, { basePath }: Target): RequestPath | ErrorReply {
  if ('code' in request || basePath !== '' || !request.path.startsWith('//')) return request;
  return invalid('The path begins with "//".');
}

function checkAuthority(scheme: string, authority: string, target: Target): ErrorReply | undefined {
  if (authority.includes('@')) return invalid('The URL holds credentials.');
  const origin = `${scheme}://${authority}`;
  if (!URL.canParse(origin)) return invalid('The URL has no valid host.');
  const { hostname, port } = new URL(origin);
  const isSamePort = port === '' || port === target.port;
  if (hostname === target.hostname && isSamePort) return undefined;
  return {
    status: 403,
    code: 'host_not_allowed',
    message: `This proxy forwards to ${target.host} only.`,
  };
}

function inBase(request: RequestPath | ErrorReply, { basePath, host }: Target): RequestPath | ErrorReply {
  if ('code' in request) return request;
  if (request.path === basePath || request.path.startsWith(`${basePath}/`)) {
    return { ...request, path: request.path.slice(basePath.length) || '/' };
  }
  return {
    status: 403,
    code: 'path_not_allowed',
    message: `This proxy forwards to paths below http://${host}${basePath}/ only.`,
  };
}

function invalid(message: string): ErrorReply {
  return { status: 400, code: 'invalid_request_target', message };
}
