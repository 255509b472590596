// Sends large bodies, one after the other with a pause between them, in a process of its own: to write them takes a
// while, in which whoever measures could not look at the clock. Prints how many. Arguments: URL, bytes, ms of pause,
// seconds.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const [url = '', bytes = '0', pauseMs = '0', seconds = '0'] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const body = largeBody(Number(bytes));
const until = performance.now() + Number(seconds) * 1000;
let sent = 0;
while (performance.now() < until) {
  const status = await send();
  if (status !== 200) throw new Error(`a large body was answered with ${status}`);
  sent += 1;
  await pause(Number(pauseMs));
}
agent.destroy();
process.stdout.write(`${sent}\n`);

/** A conversation with a member that the rule for Anthropic clients takes out. */
function largeBody(length: number): Buffer {
  const messages = Array.from({ length: 64 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: 'lorem ipsum "dolor" sit amet\n'.repeat(Math.ceil(length / 64 / 33)),
  }));
  return Buffer.from(
    JSON.stringify({ model: 'claude-4-5-sonnet', context_management: { edits: [] }, messages }),
  );
}

function send(): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/v1/messages`, { method: 'POST', headers, agent });
    request.once('error', reject).once('response', (response) => {
      response
        .resume()
        .once('error', reject)
        .once('end', () => resolve(response.statusCode ?? 0));
    });
    request.end(body);
  });
}
