// GET /metrics: a scrape by Prometheus.
import { EXPOSITION_TYPE, expose } from '../../metrics/exposition.ts';
import type { MetricReading } from '../../metrics/sums.ts';
import type { AdminRoute } from './admin-listener.ts';
import { replyBody } from './reply.ts';

/** @param read what there is to show at that moment */
export function metricsRoute(read: () => readonly MetricReading[]): AdminRoute {
  return async (_request, response) => {
    replyBody(response, 200, EXPOSITION_TYPE, await expose(read()));
  };
}
