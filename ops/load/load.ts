// `npm run load`: the load recipes of the operations guide, by ab and by autocannon, against a flow-proxy that runs in
// the foreground (npm start, or npm run demo). Prints a table; exit 1 when a request failed.
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { runAb } from './ab.ts';
import { runAutocannon } from './autocannon.ts';
import { FREE_RECIPES, type Load, type Measured, RECIPES, type Recipe } from './recipes.ts';

const USAGE = `usage: npm run load -- [--url http://127.0.0.1:8899] [-n 100] [-c 10]
         [--tool ab,autocannon] [--recipe ${RECIPES.map(({ name }) => name).join(',')}] [--allow-remote]

Recipes:
${RECIPES.map(({ name, what }) => `  ${name.padEnd(8)} ${what}`).join('\n')}
Without --recipe it is ${FREE_RECIPES.join(' and ')}: a real upstream bills the others.
`;
const EXIT_USAGE = 64;
const TOOLS: Readonly<Record<string, (recipe: Recipe, load: Load) => Promise<Measured>>> = {
  ab: runAb,
  autocannon: runAutocannon,
};

class UsageError extends Error {}

try {
  process.exitCode = await main();
} catch (cause) {
  const message = cause instanceof Error ? cause.message : String(cause);
  console.error(`load: ${message}`);
  const isUsage = cause instanceof UsageError || cause instanceof TypeError;
  if (isUsage) console.error(`\n${USAGE}`);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
}

async function main(): Promise<number> {
  const { load, tools, recipes, isHelp } = readArguments();
  if (isHelp) {
    process.stdout.write(USAGE);
    return 0;
  }
  await assertServes(load.origin);
  console.log(`${load.requests} requests, ${load.concurrency} at a time, to ${load.origin}\n`);
  console.log(row('recipe', 'tool', 'req/s', 'p50 ms', 'p99 ms', 'failed'));
  let failed = 0;
  for (const recipe of recipes) {
    for (const tool of tools) {
      const measured = await TOOLS[tool]?.(recipe, load);
      if (measured === undefined) continue;
      const { requestsPerSecond, p50Ms, p99Ms } = measured;
      failed += measured.failed;
      const figures = [requestsPerSecond.toFixed(0), p50Ms, p99Ms, measured.failed].map(String);
      console.log(row(recipe.name, tool, ...figures));
    }
  }
  return failed === 0 ? 0 : 1;
}

function readArguments(): { load: Load; tools: string[]; recipes: Recipe[]; isHelp: boolean } {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8899' },
      requests: { type: 'string', short: 'n', default: '100' },
      concurrency: { type: 'string', short: 'c', default: '10' },
      tool: { type: 'string', default: Object.keys(TOOLS).join(',') },
      recipe: { type: 'string', default: FREE_RECIPES.join(',') },
      'allow-remote': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const requests = count('-n', values.requests);
  const concurrency = count('-c', values.concurrency);
  if (concurrency > requests) throw new UsageError(`-c ${concurrency} is more than -n ${requests}`);
  const tools = values.tool.split(',');
  const stranger = tools.find((tool) => !Object.hasOwn(TOOLS, tool));
  if (stranger !== undefined) throw new UsageError(`--tool "${stranger}" is neither ab nor autocannon`);
  const load = { origin: originOf(values.url, values['allow-remote']), requests, concurrency };
  return { load, tools, recipes: values.recipe.split(',').map(recipeOf), isHelp: values.help };
}

/** A load test of somebody else's machine is an attack; of our own upstream it costs money. */
function originOf(url: string, allowsRemote: boolean): string {
  if (!URL.canParse(url)) throw new UsageError(`--url "${url}" is no URL`);
  const { origin, hostname, protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new UsageError(`--url "${url}" is not http`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (isLoopback || allowsRemote) return origin;
  throw new UsageError(`${host} is not this machine; --allow-remote if that is meant`);
}

function recipeOf(name: string): Recipe {
  const found = RECIPES.find((recipe) => recipe.name === name);
  if (found === undefined) throw new UsageError(`--recipe "${name}" is unknown`);
  return found;
}

function count(flag: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} "${text}" is not a whole number from 1 to 9999999`);
}

async function assertServes(origin: string): Promise<void> {
  try {
    await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(20_000) });
  } catch {
    throw new Error(`nothing answers at ${origin}; start it with \`npm start\` or \`npm run demo\``);
  }
}

function row(...cells: string[]): string {
  const widths = [10, 11, 9, 8, 8, 7];
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
    .join('');
}
