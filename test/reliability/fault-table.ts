// The fault matrix as one table: what the upstream does, and what a client sees of it. docs/reliability.md quotes what
// fault-matrix.test.ts prints of it.
import type { Fault } from '../../ops/simulated-upstream/server.ts';

/** When the upstream fails, seen from the exchange. */
export type Phase = 'connection' | 'answer' | 'before the answer' | 'in the answer';

/** What a client sees. */
export interface Sight {
  readonly status: number;
  /** `whole`, `broken` (the connection breaks), or `error event` (and then the connection breaks). */
  readonly ending: 'whole' | 'broken' | 'error event';
  /** Code of our error, or null when it is the upstream's own answer. */
  readonly code: string | null;
  readonly attempts: number;
}

export interface FaultRow {
  readonly phase: Phase;
  readonly name: string;
  /** Of the simulated upstream, or that there is none to connect to. */
  readonly fault: Fault | 'no upstream';
  /** How often it strikes; every time when not given. */
  readonly times?: number;
  readonly whole: Sight;
  /** For a request with `stream: true`; the same as `whole` when not given. */
  readonly stream?: Sight;
}

const hidden: Sight = { status: 200, ending: 'whole', code: null, attempts: 2 };
const broken: Sight = { status: 200, ending: 'broken', code: null, attempts: 1 };

function passed(status: number): Sight {
  return { status, ending: 'whole', code: null, attempts: 1 };
}

function ours(status: number, code: string, attempts = 1): Sight {
  return { status, ending: 'whole', code, attempts };
}

function errorEvent(code: string): Sight {
  return { status: 200, ending: 'error event', code, attempts: 1 };
}

function once(status: number, headers: Readonly<Record<string, string>> = {}): FaultRow {
  return {
    phase: 'answer',
    name: `${status} from one credential`,
    fault: { type: 'status', status, headers },
    times: 1,
    whole: hidden,
  };
}

/** From every credential: the client gets the last answer when the attempts have run out. */
function always(status: number, headers: Readonly<Record<string, string>> = {}): FaultRow {
  return {
    phase: 'answer',
    name: `${status} from every credential`,
    fault: { type: 'status', status, headers },
    whole: { ...passed(status), attempts: ATTEMPTS },
  };
}

/** FLOW_PROXY_MAX_ATTEMPTS by default. */
const ATTEMPTS = 3;

export const FAULTS: readonly FaultRow[] = [
  {
    phase: 'connection',
    name: 'nobody listens',
    fault: 'no upstream',
    whole: ours(502, 'upstream_unreachable', ATTEMPTS),
  },
  once(401),
  once(403),
  once(429, { 'retry-after': '30' }),
  once(503),
  once(529),
  always(401),
  always(429, { 'retry-after': '30', 'x-should-retry': 'true' }),
  always(503, { 'retry-after-ms': '1500' }),
  ...[400, 404, 500, 502, 504].map(
    (status): FaultRow => ({
      phase: 'answer',
      name: `${status}`,
      fault: { type: 'status', status },
      whole: passed(status),
    }),
  ),
  {
    phase: 'before the answer',
    name: 'connection closed',
    fault: { type: 'close' },
    whole: ours(502, 'upstream_closed'),
  },
  {
    phase: 'before the answer',
    name: 'connection reset',
    fault: { type: 'reset' },
    whole: ours(502, 'upstream_closed'),
  },
  {
    phase: 'before the answer',
    name: 'bytes that are not HTTP',
    fault: { type: 'garbage' },
    whole: ours(502, 'upstream_invalid'),
  },
  {
    phase: 'before the answer',
    name: 'silence beyond the limit',
    fault: { type: 'stall' },
    whole: ours(504, 'upstream_first_byte_timeout'),
  },
  {
    phase: 'in the answer',
    name: 'connection closed',
    fault: { type: 'cut', afterBytes: 40 },
    whole: broken,
    stream: errorEvent('upstream_broke_off'),
  },
  {
    phase: 'in the answer',
    name: 'connection reset',
    fault: { type: 'reset', afterChunks: 2 },
    whole: broken,
    stream: errorEvent('upstream_broke_off'),
  },
  {
    phase: 'in the answer',
    name: 'silence beyond the limit',
    fault: { type: 'stall', afterChunks: 2 },
    whole: broken,
    stream: errorEvent('upstream_idle_timeout'),
  },
];

/** The table as Markdown. */
export function faultTable(): string {
  const rows = FAULTS.map((row) => {
    const { phase, name, whole, stream = whole } = row;
    return `| ${phase} | ${name} | ${words(whole)} | ${words(stream)} |`;
  });
  return [
    '| When | The upstream | Client, whole answer | Client, event stream |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function words({ status, ending, code, attempts }: Sight): string {
  const after = attempts > 1 ? `, after ${attempts} attempts` : '';
  if (status === 200 && attempts > 1) return `nothing: ${status} from another credential`;
  if (ending === 'broken') return 'a broken connection';
  if (ending === 'error event') return `an error event (\`${code}\`), then a broken connection`;
  return (code === null ? `${status}, unchanged` : `${status} \`${code}\``) + after;
}
