// A file of client keys for a test, in a folder of its own, changed in this process as the command line would.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addKey, revokeKey, rotateKey } from '../../src/clients/change-keys.ts';
import { editKeysFile } from '../../src/clients/edit-keys-file.ts';
import type { KeyLimits } from '../../src/clients/keys-file.ts';
import type { Scope } from '../harness/flow-proxy.ts';

export class ClientKeysFile {
  readonly folder: string;
  readonly path: string;

  constructor(scope: Scope) {
    this.folder = mkdtempSync(join(tmpdir(), 'flow-proxy-client-keys-'));
    this.path = join(this.folder, 'client-keys.json');
    scope.after(async () => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** @returns the key */
  add(name: string, limits: Partial<KeyLimits> = {}): Promise<string> {
    const all = { requestsPerMinute: null, concurrent: null, models: null, ...limits };
    return editKeysFile(this.path, (entries) => addKey(entries, name, all, new Date()));
  }

  /** @returns the new key */
  rotate(name: string): Promise<string> {
    return editKeysFile(this.path, (entries) => rotateKey(entries, name, new Date()));
  }

  async revoke(name: string): Promise<void> {
    await editKeysFile(this.path, (entries) => revokeKey(entries, name));
  }

  /** Puts something in its place. */
  write(text: string): void {
    writeFileSync(this.path, text, { mode: 0o600 });
  }
}

/** The header that a client of OpenAI's API sends. */
export function bearer(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}
