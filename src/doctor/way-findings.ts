// What the way to the upstream tells an operator. Pure: the walking is way.ts's.
import { codeOf, messageOf } from '../errors.ts';
import { TooLateError } from './bounded.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type FirstByte, ProxyRefusedError, type StepName, type Walk } from './way.ts';

export interface WayContext {
  /** Host of the upstream, and of the outbound proxy where there is one. */
  readonly targetHost: string;
  readonly proxyHost: string | null;
  readonly now: number;
}

const SLOW_MS = 2_000;
const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS = 14;
/** The Date header has whole seconds. */
const SKEW_WARN_MS = 30_000;
const SKEW_FAIL_MS = 300_000;
const UNTRUSTED = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

export function wayFindings(walk: Walk, context: WayContext): Finding[] {
  const { steps, failure, answer, certificateEnds } = walk;
  return [
    ...steps.map(({ name, detail, tookMs }) => {
      if (tookMs < SLOW_MS) return ok(name, detail, tookMs);
      const fix = 'look at the network between here and there, and at the outbound proxy';
      return { ...warn(name, `${detail}, but that is slow`, fix), tookMs };
    }),
    ...(failure === null ? [] : [broken(failure.step, failure.cause, context)]),
    ...(certificateEnds === null ? [] : certificateFindings(certificateEnds, context)),
    ...(answer === null ? [] : [...statusFindings(answer), clockFinding(answer)]),
  ];
}

function broken(step: StepName, cause: unknown, context: WayContext): Finding {
  const isAtProxy = context.proxyHost !== null && step !== 'tls' && step !== 'first byte';
  const peer = isAtProxy ? `the outbound proxy ${context.proxyHost}` : context.targetHost;
  const code = codeOf(cause);
  const detail = messageOf(cause) || code || 'no reason given';
  const message = `${peer}: ${code === undefined || detail.includes(code) ? detail : `${detail} (${code})`}`;
  return fail(step, message, fixFor(step, cause, isAtProxy));
}

function fixFor(step: StepName, cause: unknown, isAtProxy: boolean): string {
  const setting = isAtProxy ? 'FLOW_PROXY_UPSTREAM_PROXY (or HTTPS_PROXY)' : 'FLOW_PROXY_TARGET_URL';
  const code = codeOf(cause) ?? '';
  if (cause instanceof ProxyRefusedError) {
    const access =
      cause.status === 407 ? 'give user and password in' : 'let it allow the upstream, or correct';
    return `${access} ${setting}`;
  }
  if (UNTRUSTED.includes(code)) {
    return 'give the certificate authority of the company in FLOW_PROXY_UPSTREAM_CA_FILE (or NODE_EXTRA_CA_CERTS)';
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'look at the clock of this machine first';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate is for another host: correct ${setting}`;
  if (step === 'dns') return `correct the name in ${setting}, or name servers in /etc/resolv.conf`;
  if (step === 'tcp' && code === 'ECONNREFUSED') return `nothing listens there: correct ${setting}`;
  const proxy = isAtProxy ? '' : '; behind a company proxy set FLOW_PROXY_UPSTREAM_PROXY';
  if (step === 'tcp' || cause instanceof TooLateError) return `look at firewall and routes${proxy}`;
  return `correct ${setting}${proxy}`;
}

function certificateFindings(ends: number, { now }: WayContext): Finding[] {
  const days = Math.floor((ends - now) / DAY_MS);
  if (Number.isNaN(days) || days > CERTIFICATE_DAYS) return [];
  return [
    warn('tls', `the certificate of the upstream ends in ${days} days`, 'tell those who run the upstream'),
  ];
}

/** Without a credential anything but trouble of the upstream itself is a good sign. */
function statusFindings({ status }: FirstByte): Finding[] {
  if (status === 404) {
    return [warn('first byte', 'there is no /v1/models there', 'correct FLOW_PROXY_TARGET_URL')];
  }
  if (status < 500) return [];
  return [warn('first byte', `the upstream is in trouble: ${status}`, 'wait, or ask those who run it')];
}

export function clockFinding({ date, clock }: FirstByte): Finding {
  if (date === null) return ok('clock', 'the upstream does not tell the time');
  // The header was cut to whole seconds: half of one is the best guess for what is missing.
  const skewMs = clock - (date + 500);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const message = `${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the upstream`;
  const fix = 'set the clock: `timedatectl set-ntp true`';
  if (Math.abs(skewMs) >= SKEW_FAIL_MS) return fail('clock', message, fix);
  if (Math.abs(skewMs) >= SKEW_WARN_MS) return warn('clock', message, fix);
  return ok('clock', seconds <= 1 ? 'the same as that of the upstream' : message);
}
