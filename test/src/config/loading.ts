// Loading settings in folders of their own, for the tests of src/config.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type LoadedSettings, type LoadInput, loadSettings } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/errors.ts';

/** The working directory unless a test has its own; removed after the tests of a file. */
export const root: string = mkdtempSync(join(tmpdir(), 'flow-proxy-load-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A fresh folder, with a .env file when a text is given. */
export function folder(envText?: string): string {
  const cwd = mkdtempSync(join(root, 'cwd-'));
  if (envText !== undefined) writeFileSync(join(cwd, '.env'), envText);
  return cwd;
}

/** Loads from what is given and nothing else. */
export function load(part: Partial<LoadInput>): LoadedSettings {
  return loadSettings({ flags: {}, environment: {}, envFile: undefined, cwd: root, ...part });
}

/** The problems of settings that must be refused. */
export function problemsOf(part: Partial<LoadInput>): readonly string[] {
  try {
    load(part);
  } catch (cause) {
    assert.ok(cause instanceof ConfigError);
    assert.match(cause.message, /^settings: /);
    return cause.problems;
  }
  return assert.fail('the settings were accepted');
}
