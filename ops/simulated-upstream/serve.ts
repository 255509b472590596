// The life of one request below the base path, in order: record, authenticate, read, misbehave, answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Answer, AnswerOver } from './answer.ts';
import type { Authenticator } from './authenticate.ts';
import { type Body, readBody } from './body.ts';
import type { Connections } from './connections.ts';
import type { FaultBook, FaultPhase } from './faults.ts';
import { isJsonObject, type JsonObject, parseJson, stringOf } from './json.ts';
import { misbehave } from './misbehave.ts';
import { pause } from './pause.ts';
import type { Pace } from './prompt.ts';
import type { Recorder, Recording } from './record.ts';
import { errorFor, liteLlmError } from './refusals.ts';
import { type Route, routeFor } from './routes.ts';

/** What the requests of one upstream share. */
export interface World {
  authenticator: Authenticator;
  readonly faults: FaultBook;
  readonly recorder: Recorder;
  readonly connections: Connections;
  readonly pace: Pace;
  readonly latencyMs: number;
}

interface Visit {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly recording: Recording;
  readonly answer: Answer;
}

const NO_JSON: JsonObject = {};

/** Serves one request to its end; never rejects. */
export async function serve(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const recording = world.recorder.begin(request);
  const answer = new Answer(response, request.socket, world.connections, recording);
  try {
    await converse(world, { request, path, recording, answer });
  } catch (error) {
    if (!(error instanceof AnswerOver) && !request.destroyed) failLoudly(response, error);
  }
}

async function converse(world: World, visit: Visit): Promise<void> {
  const { request, path, recording, answer } = visit;
  const identity = await world.authenticator.identify(request.headers.authorization);
  if (identity.kind === 'refused') {
    const message = `Authentication Error, ${identity.reason}`;
    return answer.json(401, liteLlmError(401, message, 'auth_error'));
  }
  const { clientId } = identity;
  recording.update({ clientId });
  await applyFaults(world, visit, clientId, 'headers');

  const route = routeFor(request.method ?? '', path);
  const body = await readBody(request, route.takes !== 'count');
  const json = jsonOf(route, body);
  const model = json === null ? null : stringOf(json, 'model');
  recording.update({ bodyBytes: body.bytes, bodySha256: body.sha256, model });
  await applyFaults(world, visit, clientId, 'body');

  if (json === null) return answer.json(400, errorFor(path, 400, 'Invalid JSON payload'));
  await pause(world.latencyMs);
  const { record } = recording;
  await route.handle({ request, path, clientId, record, body, json, answer, pace: world.pace });
}

function jsonOf(route: Route, body: Body): JsonObject | null {
  if (route.takes !== 'json') return NO_JSON;
  const json = parseJson(body.content.toString('utf8'));
  return isJsonObject(json) ? json : null;
}

async function applyFaults(world: World, visit: Visit, clientId: string, phase: FaultPhase): Promise<void> {
  const { request, path, recording, answer } = visit;
  const fault = world.faults.take({ clientId, path, model: recording.record.model, phase });
  if (fault === null) return;
  const { connections } = world;
  await misbehave(fault, { path, socket: request.socket, connections, recording, answer });
}

function failLoudly(response: ServerResponse, error: unknown): void {
  process.stderr.write(`simulated-upstream: ${error instanceof Error ? error.stack : String(error)}\n`);
  if (response.headersSent) response.destroy();
  else response.writeHead(500).end(JSON.stringify(liteLlmError(500, 'The simulation failed')));
}
