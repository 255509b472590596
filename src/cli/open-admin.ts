// The admin listener and what is watched for it: where the settings say so, now and after each reload.
import type { Configuration } from '../configuration.ts';
import type { Logger } from '../logging/logger.ts';
import { AdminListener } from '../supervisor/admin/admin-listener.ts';
import { metricsRoute } from '../supervisor/admin/metrics-route.ts';
import { statusRoutes } from '../supervisor/admin/status-routes.ts';
import { LiveWatch } from '../supervisor/live-watch.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface Admin {
  readonly admin: AdminListener;
  readonly watch: LiveWatch;
}

export async function openAdmin(
  { settings: { adminListen } }: Configuration,
  supervisor: Supervisor,
  log: Logger,
): Promise<Admin> {
  const { view } = supervisor;
  const watch = new LiveWatch({
    status: () => view.status(),
    metrics: () => view.metrics(),
    refreshHost: () => view.refreshHost(),
  });
  const routes = {
    '/metrics': metricsRoute(() => view.metrics()),
    ...statusRoutes(watch),
  };
  const admin = new AdminListener(routes, log);
  supervisor.events.on('settings', (settings) => void admin.move(settings.adminListen));
  await admin.move(adminListen);
  return { admin, watch };
}
