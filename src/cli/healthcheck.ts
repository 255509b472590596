// `flow-proxy healthcheck`: does the service of these settings answer at its port? For HEALTHCHECK of an image, where
// there is no curl. It asks as any client would; what the primary knows is `status`'s.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { messageOf } from '../errors.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';

/** What is asked: whether it lives, or whether it can serve (not while it drains or every credential is disabled). */
export type HealthQuestion = 'alive' | 'ready';

/** Below the timeout of the image's HEALTHCHECK, so that it is our message that is seen. */
const TIMEOUT_MS = 4_000;
const PATHS: Readonly<Record<HealthQuestion, string>> = { alive: '/healthz', ready: '/readyz' };
/** Addresses that are every address of a machine, with one that can be asked. */
const EVERY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Says in one line how it is.
 * @returns 0 when the answer is yes, 1 when it is no or when there is none
 * @throws ConfigError when the settings cannot be used
 */
export async function healthcheck(commandLine: CommandLine, question: HealthQuestion): Promise<number> {
  const { host, port, clients } = prepareSettings(commandLine).settings;
  if (port === 0) {
    console.error(
      'flow-proxy: port 0 is any free one; set FLOW_PROXY_PORT to a fixed port to have it checked',
    );
    return 1;
  }
  const address = EVERY_ADDRESS[host] ?? host;
  const shown = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  try {
    const { status, body } = await ask({ address, port, isSecure: clients.tls !== null }, PATHS[question]);
    console.log(`${shown} ${PATHS[question]} ${status} ${body.trim()}`);
    return status === 200 ? 0 : 1;
  } catch (cause) {
    console.error(`flow-proxy: no answer from ${shown}: ${messageOf(cause)}`);
    return 1;
  }
}

interface Door {
  readonly address: string;
  readonly port: number;
  readonly isSecure: boolean;
}

function ask(
  { address: host, port, isSecure }: Door,
  path: string,
): Promise<{ status: number; body: string }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const options = { host, port, path, signal, agent: false };
  return new Promise((resolve, reject) => {
    const onAnswer = async (response: IncomingMessage): Promise<void> => {
      try {
        const body = (await response.setEncoding('utf8').toArray()).join('');
        resolve({ status: response.statusCode ?? 0, body });
      } catch (cause) {
        reject(cause);
      }
    };
    // Its certificate is for the name that clients use, which the loopback address is not; nothing secret is sent.
    const request = isSecure
      ? https.get({ ...options, rejectUnauthorized: false }, onAnswer)
      : http.get(options, onAnswer);
    request.once('error', (cause) =>
      reject(signal.aborted ? new Error(`none within ${TIMEOUT_MS} ms`) : cause),
    );
  });
}
