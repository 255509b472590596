// `flow-proxy backup` and `flow-proxy restore` as commander sees them. What they do is src/backup's.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { installationFiles } from '../backup/files.ts';
import { BackupError } from '../backup/pipe-commands.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import type { Seal } from '../backup/seal.ts';
import { writeBackup } from '../backup/write-backup.ts';
import { loadInput } from './prepare.ts';

interface BackupOptions {
  readonly to?: string;
  readonly age?: string;
  readonly passphraseFile?: string;
  readonly envFile?: string;
}

interface RestoreFlags {
  readonly identity?: string;
  readonly passphraseFile?: string;
  readonly root: string;
  readonly aside?: boolean;
}

/** Made by ops/install.sh, for root only. */
const SYSTEM_FOLDER = '/var/backups/flow-proxy';

export function addBackupCommands(program: Command): void {
  const backup = program
    .command('backup')
    .description('save settings, secrets, keys, certificates and units to one file, and print its path')
    .option('--to <FOLDER>', `where it goes (default: ${SYSTEM_FOLDER} if that is there, else here)`)
    .option('--age <RECIPIENT>', 'encrypt it by age for this recipient')
    .addOption(passphraseOption('encrypt it by openssl with the passphrase in this file'))
    .option('--env-file <FILE>', 'settings of the service (default: .env, else that of the system service)')
    .allowExcessArguments(false)
    .exitOverride();
  backup.action((options: BackupOptions) => save({ ...program.opts(), ...options }));
  program
    .command('restore <FILE>')
    .description('put the files of a backup back; never writes over a file')
    .option('--identity <FILE>', 'age identity that opens it')
    .addOption(passphraseOption('file of the passphrase that opens it'))
    .option('--root <FOLDER>', 'restore below this folder', '/')
    .option('--aside', 'rename files that are there and differ, instead of giving up')
    .allowExcessArguments(false)
    .exitOverride()
    .action(restore);
}

function passphraseOption(description: string): Option {
  return new Option('--passphrase-file <FILE>', description);
}

async function save(options: BackupOptions): Promise<void> {
  const { envFile, present, missing } = installationFiles(loadInput({ flags: {}, envFile: options.envFile }));
  for (const path of missing) console.error(`warning: ${path} is not there, and not in the backup`);
  if (present.length === 0)
    throw new BackupError('there is nothing to save: no settings, no secrets, no units');
  const folder = resolve(options.to ?? (existsSync(SYSTEM_FOLDER) ? SYSTEM_FOLDER : '.'));
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new BackupError(`${folder} is no folder`);
  const path = await writeBackup(present, folder, sealOf(options), new Date());
  console.error(`Saved ${present.length} files${envFile === null ? '' : ` (settings: ${envFile})`}:`);
  for (const file of present) console.error(`  - ${file}`);
  console.log(path);
}

function sealOf({ age, passphraseFile }: BackupOptions): Seal {
  if (age !== undefined && passphraseFile !== undefined) {
    throw new BackupError('--age and --passphrase-file: only one of them');
  }
  if (age !== undefined) return { type: 'age', recipient: age };
  return passphraseFile === undefined ? { type: 'none' } : { type: 'passphrase', file: passphraseFile };
}

async function restore(file: string, { identity, passphraseFile, root, aside }: RestoreFlags): Promise<void> {
  const { written, unchanged, movedAside } = await restoreBackup(file, {
    identityFile: identity,
    passphraseFile,
    root: resolve(root),
    movesAside: aside === true,
    now: new Date(),
  });
  for (const path of written) console.log(`restored    ${path}`);
  for (const path of unchanged) console.log(`was there   ${path}`);
  for (const path of movedAside) console.log(`moved aside ${path}`);
}
