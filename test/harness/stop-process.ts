// Makes a process stand still.
import { readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';

/** Sends SIGSTOP and resolves once the process stands still: until then it may still take something in. */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await eventually(`the stop of ${pid}`, () => {
    // Behind its name, which may hold anything.
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0];
    return state === 'T' ? true : undefined;
  });
}
