// Why the system refuses a file, for the operator of a container or a service: whose it is, and who we are.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../errors.ts';

/**
 * Completes "permission denied": owner, mode and our own user, as far as they can be seen.
 * @returns an empty text when nothing can be seen, or on a system without user ids
 */
export function explainDenied(path: string): string {
  const user = process.getuid?.();
  let isMissing = false;
  for (let place = path; user !== undefined; place = dirname(place)) {
    try {
      const { uid, mode } = statSync(place);
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      // What is not there yet is made: handing over the folder above it, such as /var/log, would give away too much.
      const ofOthers = isMissing ? `install -d -o ${user} ${path}` : `chown ${user} ${place}`;
      const fix = uid === user ? `chmod u+rwX ${place}` : ofOthers;
      return ` (${place} belongs to uid ${uid}, mode ${octal}, and this process is uid ${user}: \`${fix}\`)`;
    } catch (cause) {
      isMissing = codeOf(cause) === 'ENOENT';
      // It is not there, or what it is in is closed to us, too: that one can be told of.
      if (place === dirname(place)) return '';
    }
  }
  return '';
}
