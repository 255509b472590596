// What is measured: a proxy that can be started in front of an upstream.
import type { Place, Running } from '../pinned-process.ts';

export interface SubjectOptions {
  /** Base URL of the upstream. */
  readonly upstream: string;
  readonly folder: string;
  readonly workers: number;
  readonly place: Place;
  /** PEM file of the upstream's certificate authority; null for a plain upstream. */
  readonly caFile: string | null;
}

export interface StartedSubject {
  readonly name: string;
  readonly url: string;
  readonly process: Running;
}

export interface Subject<S extends StartedSubject = StartedSubject> {
  readonly name: string;
  /** For the page; null when it is not installed. */
  readonly version: string | null;
  start(options: SubjectOptions): Promise<S>;
}
