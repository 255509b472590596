// A real podman under a real systemd, with the image built from this checkout in its store; container-rig.sh does the
// work. `docker` and `docker-compose` in it are podman and podman-compose.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { documentedBlocks } from '../harness/documented-commands.ts';
import { root } from '../harness/root.ts';

const run = promisify(execFile);
const SCRIPT = root('test/rig/container-rig.sh');
const NODE_MAJOR = '24';
const IMAGE = 'localhost/flow-proxy-plugin:latest';
const BUILD_MS = 400_000;
const COMMAND_MS = 150_000;
/** The rig's own address, which containers of every network reach. */
const RIG_ADDRESS = '10.99.0.1';
const UPSTREAM_PORT = 9990;
const CREDENTIALS = ['first', 'second'].map((name) => ({
  name,
  clientId: `id-${name}`,
  clientSecret: `rig-secret-of-${name}`,
  tenant: 'rig',
}));
/** How a command in the rig ended. */
export interface RigResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class ContainerRig {
  /** Where its simulated upstream is, seen from a container. */
  readonly upstreamUrl: string = `http://${RIG_ADDRESS}:${UPSTREAM_PORT}/flow-llm-proxy`;
  readonly image: string = IMAGE;
  readonly credentials: readonly object[] = CREDENTIALS;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(name: string) {
    const base = join(tmpdir(), 'flow-proxy-rig');
    this.#environment = {
      ...process.env,
      CT_DIR: join(base, 'containers'),
      RIG_STATE: join(base, 'systemd', name),
      RIG_ROOT: root('.'),
    };
  }

  /** Builds the image as documented, boots, and starts the simulated upstream with the credentials of `secrets.json`. */
  async up(): Promise<void> {
    await this.down();
    await this.#script(['base', NODE_MAJOR], BUILD_MS);
    await this.#script(['build', root('.'), documentedBuild()], BUILD_MS);
    await this.#script(['up'], COMMAND_MS);
    await this.sh(`
      ip address add ${RIG_ADDRESS}/32 dev lo
      for tool in podman podman-compose; do
        printf '#!/bin/sh\\nBUILDAH_FORMAT=docker exec /usr/bin/%s "$@"\\n' $tool >/usr/local/sbin/docker\${tool#podman}
      done
      chmod 755 /usr/local/sbin/docker*
      mkdir -p /srv/rig && cd /srv/rig && cat >secrets.json <<'END'
${JSON.stringify(CREDENTIALS)}
END
      systemd-run --quiet --unit=upstream ${process.execPath} ${root('dist/ops/simulated-upstream/main.js')} \\
        --secrets /srv/rig/secrets.json --host 0.0.0.0 --port ${UPSTREAM_PORT} --chunks 10 --chunk-interval-ms 200
      chown 1000 secrets.json && chmod 600 secrets.json`);
  }

  /** Ends everything in it. */
  async down(): Promise<void> {
    await this.#script(['down'], COMMAND_MS);
  }

  /** Runs a shell script in it; rejects with its output when it fails. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(script);
    assert.equal(code, 0, `${script}\n--- stdout ---\n${stdout}\n--- stderr ---\n${stderr}`);
    return stdout;
  }

  /** Runs a shell script in it, whose exit code may be any. */
  async try(script: string): Promise<RigResult> {
    try {
      const { stdout, stderr } = await this.#script(['exec', 'bash', '-c', `set -e\n${script}`], COMMAND_MS);
      return { code: 0, stdout, stderr };
    } catch (cause) {
      if (!(cause instanceof Error) || !('stdout' in cause) || !('stderr' in cause) || !('code' in cause))
        throw cause;
      if (typeof cause.code !== 'number') throw cause;
      return { code: cause.code, stdout: String(cause.stdout), stderr: String(cause.stderr) };
    }
  }

  #script(args: readonly string[], timeout: number): Promise<{ stdout: string; stderr: string }> {
    const environment = this.#environment;
    return run('bash', [SCRIPT, ...args], { env: environment, timeout, maxBuffer: 16 * 1024 * 1024 });
  }
}

/** The command that docs/operations.md builds the image with. */
function documentedBuild(): string {
  const commands = documentedBlocks().flatMap((block) => block.commands);
  const build = commands.find((command) => command.startsWith('docker build '));
  assert.ok(build);
  return build;
}
