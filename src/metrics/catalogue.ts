// Every metric there is: those that workers count and the primary adds up, and those that only the primary knows.
import { counter, type Definition, gauge, histogram } from './definition.ts';

export type WorkerMetric =
  | 'requests'
  | 'duration'
  | 'firstByte'
  | 'overhead'
  | 'attempts'
  | 'failovers'
  | 'requestBytes'
  | 'responseBytes'
  | 'streamsOpen'
  | 'streamsEnded'
  | 'inputTokens'
  | 'outputTokens'
  | 'cachedTokens'
  | 'usageUnknown'
  | 'workerLogLinesLost';

export type PrimaryMetric =
  | 'buildInfo'
  | 'startTime'
  | 'state'
  | 'generation'
  | 'lastReload'
  | 'inFlight'
  | 'workers'
  | 'workersWanted'
  | 'workerRestarts'
  | 'memory'
  | 'loopDelay'
  | 'credentialUp'
  | 'credentialDisabled'
  | 'cooldown'
  | 'refusals'
  | 'logLinesLost';

/** Up to the longest answers of reasoning models. */
const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

const USAGE_LABELS = ['model', 'credential', 'client'];

/** Counted in the workers. */
export const WORKER_METRICS: Readonly<Record<WorkerMetric, Definition>> = {
  requests: counter('requests_total', 'Requests that ended, WebSockets included.', [
    'route',
    'status',
    'dialect',
    'credential',
    'outcome',
  ]),
  duration: histogram(
    'request_duration_seconds',
    'Time from a request to the end of its answer.',
    ['route'],
    ANSWER_SECONDS,
  ),
  firstByte: histogram(
    'time_to_first_byte_seconds',
    'Time from a request to the head of its answer.',
    ['route'],
    ANSWER_SECONDS,
  ),
  overhead: histogram(
    'overhead_seconds',
    'Time of forwarded requests that the upstream had no part in: taking the body in, choosing or waiting for a credential, handing the end over.',
    ['route'],
    OVERHEAD_SECONDS,
  ),
  attempts: counter('attempts_total', 'Attempts at the upstream, by the class of its answer, or none.', [
    'credential',
    'result',
  ]),
  failovers: counter(
    'failovers_total',
    'Attempts that another one followed: a status of the upstream, or a code of ours where there was none.',
    ['credential', 'reason'],
  ),
  requestBytes: counter('request_body_bytes_total', 'Bytes of request bodies.', ['route']),
  responseBytes: counter('response_body_bytes_total', 'Bytes of answers, without their heads.', ['route']),
  streamsOpen: gauge('streams_open', 'Event streams and WebSockets that are open.', ['route']),
  streamsEnded: counter(
    'streams_ended_total',
    'Event streams and WebSockets that ended: completed, or the code of what ended them.',
    ['route', 'reason'],
  ),
  inputTokens: counter(
    'input_tokens_total',
    'Tokens that models read, cached ones included, as the upstream reports them.',
    USAGE_LABELS,
  ),
  outputTokens: counter('output_tokens_total', 'Tokens that models wrote.', USAGE_LABELS),
  cachedTokens: counter(
    'cached_input_tokens_total',
    'Tokens among those read that came from a prompt cache.',
    USAGE_LABELS,
  ),
  usageUnknown: counter(
    'usage_unknown_total',
    'Successful generations whose tokens are not counted: not told by the answer, or not to be read from it.',
    ['reason'],
  ),
  workerLogLinesLost: counter(
    'worker_log_lines_lost_total',
    'Log lines lost on their way from a worker to the primary.',
  ),
};

/** Known to the primary. */
export const PRIMARY_METRICS: Readonly<Record<PrimaryMetric, Definition>> = {
  buildInfo: gauge('build_info', 'Always 1; the labels tell what is running.', ['version', 'node']),
  startTime: gauge('start_time_seconds', 'When the service started, in seconds since 1970.'),
  state: gauge('state', '1 for the state that the service is in.', ['state']),
  generation: gauge('generation', 'Number of the settings in use.'),
  lastReload: gauge('last_reload_success', '1 when the last reload was applied, 0 when it was not.'),
  inFlight: gauge('in_flight_requests', 'Requests and WebSockets under way.', ['worker']),
  workers: gauge('workers', 'Worker processes, those that drain included.', ['stage']),
  workersWanted: gauge('workers_wanted', 'Worker processes that there should be.'),
  workerRestarts: counter('worker_restarts_total', 'Workers that were replaced.', ['reason']),
  memory: gauge('resident_memory_bytes', 'Memory that a process takes.', ['process']),
  loopDelay: gauge(
    'event_loop_delay_seconds',
    'How late the event loop of a process was in the last moments.',
    ['process'],
  ),
  credentialUp: gauge(
    'credential_available',
    '1 when requests may use the credential, 0 while it is cooled.',
    ['credential'],
  ),
  credentialDisabled: gauge('credential_disabled', '1 while an operator has taken the credential out.', [
    'credential',
  ]),
  cooldown: gauge(
    'credential_cooldown_seconds',
    'What is left of a cooldown; 0 when only a probe is missing. The model all is every model.',
    ['credential', 'model', 'reason'],
  ),
  refusals: counter('client_refusals_total', 'Requests turned away at the door.', ['reason']),
  logLinesLost: counter('log_lines_lost_total', 'Log lines that could not be written.'),
};

/** All of them, in the order in which they are shown. */
export const ALL_METRICS: readonly Definition[] = [
  ...Object.values(WORKER_METRICS),
  ...Object.values(PRIMARY_METRICS),
];
