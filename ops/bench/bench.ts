// What every row of the bench is given: how long to go on, a folder, and processes that end with it.
import { setTimeout as pause } from 'node:timers/promises';
import { type Counted, type Measured, measure, measureWindow, type Window } from './load.ts';
import { median } from './median.ts';
import type { Place, Running } from './pinned-process.ts';
import type { StartedSubject, Subject } from './subjects/subject.ts';
import type { CountingUpstream, Upstream } from './upstream.ts';

/** One table of the page. */
export interface Table {
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
  /** Sentences below it: what was asked for and whether it was reached. */
  readonly verdicts: readonly string[];
}

/** Something that can be measured by itself. */
export interface Row {
  /** For `--only`, and for its place on the page. */
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Table>;
}

export interface StartOptions {
  readonly workers?: number;
  readonly place?: Place;
}

/** The median of several rounds. */
export interface Figures {
  readonly cpuPerRequest: number;
  readonly requestsPerSecond: number;
  readonly isLoadBound: boolean;
  /** What it is the median of. */
  readonly rounds: readonly Measured[];
}

/** A refused connection is tried again by nobody: a round with failures is not counted as one. */
export class LoadFailedError extends Error {}

export class Bench {
  readonly isQuick: boolean;
  readonly folder: string;
  readonly #running: Running[] = [];

  constructor(isQuick: boolean, folder: string) {
    this.isQuick = isQuick;
    this.folder = folder;
  }

  /** Picks by mode. */
  pick<T>(whole: T, quick: T): T {
    return this.isQuick ? quick : whole;
  }

  async startUpstream<U extends Upstream>(start: (folder: string) => Promise<U>): Promise<U> {
    const upstream = await start(this.folder);
    this.#running.push(upstream.process);
    return upstream;
  }

  async start<S extends StartedSubject>(
    subject: Subject<S>,
    upstream: Upstream,
    options: StartOptions = {},
  ): Promise<S> {
    const { workers = 1, place = 'subject' } = options;
    const { url, caFile } = upstream;
    const started = await subject.start({ upstream: url, caFile, folder: this.folder, workers, place });
    this.#running.push(started.process);
    return started;
  }

  /** Warms every subject up, then measures them in turn, several times. By name of the subject. */
  compare(
    subjects: readonly StartedSubject[],
    upstream: Upstream,
    warm: (subject: StartedSubject) => Promise<Counted>,
    load: (subject: StartedSubject) => Promise<Counted>,
    rounds: number,
  ): Promise<ReadonlyMap<string, Figures>> {
    const measureOne = (subject: StartedSubject): Promise<Measured> =>
      measure(subject.process.pid, upstream.process.pid, () => load(subject));
    return compareBy(measureOne, subjects, warm, rounds);
  }

  /** The same, but only a window of each load counts. */
  compareWindows(
    subjects: readonly StartedSubject[],
    upstream: CountingUpstream,
    load: (subject: StartedSubject) => Promise<Counted>,
    window: Window,
    rounds: number,
  ): Promise<ReadonlyMap<string, Figures>> {
    const measureOne = (subject: StartedSubject): Promise<Measured> =>
      measureWindow(subject.process.pid, upstream, window, () => load(subject));
    return compareBy(measureOne, subjects, load, rounds);
  }

  /** Stops what a row has started. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((each) => each.stop()));
  }

  /** Lets what ended settle: sockets closed, garbage collected. */
  settle(): Promise<void> {
    return pause(this.pick(1_000, 200));
  }
}

async function compareBy(
  measureOne: (subject: StartedSubject) => Promise<Measured>,
  subjects: readonly StartedSubject[],
  warm: (subject: StartedSubject) => Promise<Counted>,
  rounds: number,
): Promise<ReadonlyMap<string, Figures>> {
  const measured = new Map<string, Measured[]>(subjects.map(({ name }) => [name, []]));
  for (const subject of subjects) await warm(subject);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      const figures = await measureOne(subject);
      if (figures.failed > 0 || !(figures.requests > 0)) throw failure(subject, figures);
      measured.get(subject.name)?.push(figures);
    }
  }
  return new Map([...measured].map(([name, each]) => [name, summary(each)]));
}

function failure({ name }: StartedSubject, { failed, requests }: Measured): LoadFailedError {
  return new LoadFailedError(`${name}: ${failed} requests failed, ${requests} were answered`);
}

function summary(each: readonly Measured[]): Figures {
  return {
    cpuPerRequest: median(each.map(({ cpuPerRequest }) => cpuPerRequest)),
    requestsPerSecond: median(each.map(({ requestsPerSecond }) => requestsPerSecond)),
    isLoadBound: each.filter(({ isLoadBound }) => isLoadBound).length * 2 > each.length,
    rounds: each,
  };
}
