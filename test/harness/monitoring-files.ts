// The queries in ops/monitoring: of the alert rules and of the dashboard, and which metrics and labels they name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './root.ts';

export const MONITORING: string = root('ops/monitoring');

/** A metric of ours as a query names it. */
export interface Mention {
  readonly metric: string;
  /** Labels that its selector asks for. */
  readonly labels: readonly string[];
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** Every expression, with the name of its alert. */
export function alertQueries(): [alert: string, expr: string][] {
  const { groups }: Rules = parse(readFileSync(join(MONITORING, 'alerts.yaml'), 'utf8'));
  return groups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr]));
}

/** Every expression of the dashboard, with the title of its panel and Grafana's variables filled in. */
export function dashboardQueries(): [title: string, expr: string][] {
  const text = readFileSync(join(MONITORING, 'grafana-dashboard.json'), 'utf8');
  const { panels }: Dashboard = JSON.parse(text);
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }): [string, string] => [
      title,
      expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    ]),
  );
}

/** What an expression names of ours. */
export function mentions(expr: string): Mention[] {
  return [...expr.matchAll(/\b(flow_proxy_\w+)(?:\{([^}]*)\})?/g)].map(([, metric = '', selector = '']) => ({
    metric,
    labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

/** Labels that an expression groups by. */
export function groupings(expr: string): string[] {
  return [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.trim()),
  );
}
