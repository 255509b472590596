// GET /status: one page with everything in it. Its policy lets it load nothing and run nothing but its own script.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { installedFile } from '../../installed-files.ts';
import type { AdminRoute } from './admin-listener.ts';
import { replyBody } from './reply.ts';

const FOLDER = 'dist/page';

export interface StatusPage {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

/** Puts style and scripts, which are files of their own, into the page. */
export function readStatusPage(): StatusPage {
  const part = (name: string): string => readFileSync(installedFile(`${FOLDER}/${name}`), 'utf8');
  const [style, script] = [part('status.css'), part('chart.js') + part('status.js')];
  const html = part('status.html')
    .replace('/* style */', () => style)
    .replace('/* script */', () => script);
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}

export function statusPageRoute({ html, policy }: StatusPage): AdminRoute {
  return (_request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('Referrer-Policy', 'no-referrer');
    replyBody(response, 200, 'text/html; charset=utf-8', html);
  };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
