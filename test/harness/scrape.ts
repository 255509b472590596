// What /metrics tells, as Prometheus reads it: samples with their labels.
import { call } from './http-call.ts';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /([a-z_]\w*)="((?:\\.|[^"\\])*)"/gi;

/** One scrape. */
export class Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.text = text;
    this.samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(sampleOf);
  }

  /** Sum of all samples of this name that have these labels; 0 when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels);
    return this.samples
      .filter(
        (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
      )
      .reduce((total, { value }) => total + value, 0);
  }

  /** Names of all samples. */
  get names(): ReadonlySet<string> {
    return new Set(this.samples.map(({ name }) => name));
  }
}

/** @param adminUrl of the admin listener */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const { status, text } = await call(`${adminUrl}/metrics`);
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`);
  return new Scrape(text);
}

function sampleOf(line: string): Sample {
  const [, name, inner = '', value] = LINE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels = [...inner.matchAll(LABEL)].map(([, label = '', text = '']) => [label, unescaped(text)]);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
