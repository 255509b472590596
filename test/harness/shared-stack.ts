// One stack for all tests of a file that want the same and leave it as it was: starting one takes longer than most
// tests. What it logged in earlier tests is still there, so a test looks for its own request's line.
import { after } from 'node:test';
import { type Stack, type StackOptions, startStack } from './stack.ts';

const stacks = new Map<string, Promise<Stack>>();
after(async () => {
  for (const stack of stacks.values()) await (await stack).close();
});

/** The stack of these options, started by the first test that asks; it remembers no faults and no requests. */
export async function sharedStack(options: StackOptions = {}): Promise<Stack> {
  const key = JSON.stringify(options);
  const starting = stacks.get(key) ?? startStack(options);
  stacks.set(key, starting);
  const stack = await starting;
  stack.reset();
  return stack;
}
