// Requests at a fixed rate, whether or not the ones before are answered: what a client waits for when nothing is full.
import http from 'node:http';

export interface PacedLoad {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** @returns how long each answer took, in ms; rejects when one of them is no 200 */
export function pacedLatencies({ url, perSecond, seconds }: PacedLoad): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true });
  const total = Math.round(perSecond * seconds);
  const latencies: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  return new Promise<number[]>((resolve, reject) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond));
      for (; sent < due; sent += 1) ask();
      if (sent === total) clearInterval(timer);
    }, 1);
    const ask = (): void => {
      const askedAt = performance.now();
      const request = http.get(url, { agent }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`));
        response.resume().once('end', () => {
          latencies.push(performance.now() - askedAt);
          if (latencies.length === total) resolve(latencies);
        });
      });
      request.once('error', reject);
    };
  }).finally(() => agent.destroy());
}
