// What the primary is made of, each part with the others it needs. What they do together is supervisor.ts's.
import { memoryLimits } from '../host/memory-share.ts';
import type { LogSink } from '../logging/log-sink.ts';
import { Crew } from './crew.ts';
import { HostWatch } from './host-figures.ts';
import { MemoryWatch } from './memory-watch.ts';
import { Reloader, type ReloadSources, wantedWorkers } from './reloader.ts';
import { Slots } from './slots.ts';
import { Switchboard } from './switchboard.ts';

/** What a service is started with. */
export interface ServiceOptions extends ReloadSources {
  /** Compiled workers/host-figures.ts. */
  readonly hostTaskFile: string;
  readonly sink: LogSink;
  readonly environment: NodeJS.ProcessEnv;
  /** Descriptor of a listening socket that systemd passed; null for none. */
  readonly passedSocket: number | null;
}

/** The parts of a primary. */
export interface PrimaryParts {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly crew: Crew;
  readonly slots: Slots;
  readonly switchboard: Switchboard;
  readonly reloader: Reloader;
  readonly memory: MemoryWatch;
  readonly host: HostWatch;
}

/**
 * Puts a primary together; no worker is forked yet.
 * @param onReady a worker serves on this port
 */
export function assemble(options: ServiceOptions, onReady: (port: number) => void): PrimaryParts {
  const { configuration, code, log, passedSocket } = options;
  const { settings, generation } = configuration;
  const startedAt = Date.now();
  const crew = new Crew(options, wantedWorkers(settings) === 1);
  const { heapBytes } = memoryLimits(settings.memory, wantedWorkers(settings));
  const slots = new Slots(crew, { generation, workerFile: code.workerFile, heapBytes }, log);
  const switchboard = new Switchboard({
    configuration,
    crew,
    slots,
    log,
    startedAt,
    passedSocket,
    onReady: (_handle, port) => onReady(port),
  });
  const reloader = new Reloader({ ...options, crew, slots, switchboard });
  const memory = new MemoryWatch({
    crew,
    slots,
    used: () => reloader.used,
    isBusy: () => reloader.isBusy,
    log,
  });
  const host = new HostWatch(options.hostTaskFile, log);
  return { startedAt, crew, slots, switchboard, reloader, memory, host };
}
