// How a backup is encrypted and opened again: by age for a recipient, or by openssl with a passphrase in a file. Both
// can be opened without flow-proxy: docs/operations.md.
import { BackupError, type PipedCommand } from './pipe-commands.ts';

export type Seal =
  | { readonly type: 'none' }
  /** For the owner of an age key. */
  | { readonly type: 'age'; readonly recipient: string }
  | { readonly type: 'passphrase'; readonly file: string };

/** What opens a sealed backup. */
export interface SealKeys {
  /** File of an age identity. */
  readonly identityFile: string | undefined;
  readonly passphraseFile: string | undefined;
}

const OPENSSL = ['enc', '-aes-256-cbc', '-pbkdf2', '-iter', '600000'];
const GZIP_START = Buffer.from([0x1f, 0x8b]);
const AGE_START = Buffer.from('age-encryption.org/');
const OPENSSL_START = Buffer.from('Salted__');

export function sealCommands(seal: Seal): PipedCommand[] {
  switch (seal.type) {
    case 'none':
      return [];
    case 'age':
      return [{ program: 'age', arguments: ['--encrypt', '--recipient', seal.recipient] }];
    case 'passphrase':
      return [{ program: 'openssl', arguments: [...OPENSSL, '-salt', '-pass', `file:${seal.file}`] }];
  }
}

export function sealSuffix(seal: Seal): string {
  return { none: '', age: '.age', passphrase: '.enc' }[seal.type];
}

/**
 * @param start the first bytes of the file
 * @throws BackupError when the key for it was not given, or it is no backup
 */
export function openCommands(start: Buffer, { identityFile, passphraseFile }: SealKeys): PipedCommand[] {
  const begins = (with_: Buffer): boolean => start.subarray(0, with_.length).equals(with_);
  if (begins(GZIP_START)) return [];
  if (begins(AGE_START)) {
    if (identityFile === undefined) throw new BackupError('it is encrypted by age: give --identity FILE');
    return [{ program: 'age', arguments: ['--decrypt', '--identity', identityFile] }];
  }
  if (begins(OPENSSL_START)) {
    if (passphraseFile === undefined)
      throw new BackupError('it is encrypted with a passphrase: give --passphrase-file FILE');
    return [{ program: 'openssl', arguments: [...OPENSSL, '-d', '-pass', `file:${passphraseFile}`] }];
  }
  throw new BackupError('it is no backup of flow-proxy: neither gzip, age nor openssl');
}
