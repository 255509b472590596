// The credentials: can the file be read, is everything in it, and who else may read it?
import { statSync } from 'node:fs';
import { type CredentialEntry, readSecretsFile } from '../credentials/secrets-file.ts';
import { type Finding, fromSentence, ok } from './finding.ts';
import { problemsOf } from './settings.ts';

export interface SecretsExamined {
  readonly credentials: readonly CredentialEntry[];
  readonly findings: readonly Finding[];
}

export function checkSecrets(path: string): SecretsExamined {
  const edit = `correct ${path}; secrets.json.template shows what belongs in it`;
  try {
    const { credentials, warnings } = readSecretsFile(path);
    const names = credentials.map(({ name }) => name).join(', ');
    return {
      credentials,
      findings: [
        ok('secrets', `${path}, mode ${modeOf(path)}, holds ${names}`),
        ...warnings.map((warning) => fromSentence('secrets', 'warn', warning, edit)),
      ],
    };
  } catch (cause) {
    const problems = problemsOf('secrets', cause, edit);
    const findings = problems.map((finding) => ({ ...finding, message: `${path}: ${finding.message}` }));
    return { credentials: [], findings };
  }
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8).padStart(4, '0');
}
