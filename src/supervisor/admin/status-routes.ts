// GET /status.json: how the service is. GET /status/events: the same again and again, as server-sent events, for the
// page at /status.
import type { ServerResponse } from 'node:http';
import type { LiveStatus } from '../../control/live.ts';
import { type LiveWatch, SAMPLE_EVERY_MS } from '../live-watch.ts';
import type { AdminRoute, AdminRoutes } from './admin-listener.ts';
import { replyBody } from './reply.ts';
import { readStatusPage, statusPageRoute } from './status-page.ts';

/** A browser that lost us tries again after this. */
const RETRY_MS = 2_000;

export function statusRoutes(watch: LiveWatch): AdminRoutes {
  return {
    '/status': statusPageRoute(readStatusPage()),
    '/status.json': async (_request, response) => {
      const report = await watch.wholeReport();
      replyBody(response, 200, 'application/json', `${JSON.stringify(report, null, 2)}\n`);
    },
    '/status/events': eventsRoute(() => watch.report()),
  };
}

function eventsRoute(report: () => LiveStatus): AdminRoute {
  return (request, response) => {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write(`retry: ${RETRY_MS}\n\n`);
    tell(response, report);
    const timer = setInterval(() => tell(response, report), SAMPLE_EVERY_MS);
    response.once('close', () => clearInterval(timer));
  };
}

/** Whoever does not read misses news, and costs no memory. */
function tell(response: ServerResponse, report: () => LiveStatus): void {
  if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify(report())}\n\n`);
}
