// What a route gets to work with: one authenticated request, its body, and the answer to fill.
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import type { Body } from './body.ts';
import type { JsonObject } from './json.ts';
import type { Pace } from './prompt.ts';
import type { RequestRecord } from './record.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  /** Below the base path, without the query. */
  readonly path: string;
  readonly clientId: string;
  readonly record: RequestRecord;
  readonly body: Body;
  /** The body's JSON object; empty where the route takes no JSON. */
  readonly json: JsonObject;
  readonly answer: Answer;
  readonly pace: Pace;
}

export type Handler = (exchange: Exchange) => Promise<void>;
