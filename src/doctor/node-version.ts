// Is the Node.js that runs us one that flow-proxy works with?
import { type Finding, fail, ok, warn } from './finding.ts';

/** The `engines` of package.json. */
const LEAST = { major: 20, minor: 19 };
/** Versions before this get no security fixes any more (nodejs.org/en/about/previous-releases). */
const SUPPORTED_MAJOR = 22;

/** @param version as in process.version */
export function checkNode(version: string): Finding {
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)\./.exec(version)?.map(Number) ?? [];
  const fix = 'install Node.js 24 (any from 20.19 on works)';
  if (major < LEAST.major || (major === LEAST.major && minor < LEAST.minor)) {
    return fail('node', `Node.js ${version} is older than ${LEAST.major}.${LEAST.minor}`, fix);
  }
  if (major < SUPPORTED_MAJOR) {
    return warn('node', `Node.js ${version} works, but gets no security fixes any more`, fix);
  }
  return ok('node', `Node.js ${version}`);
}
