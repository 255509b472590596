// The image and the compose file under a real podman: what the predecessor's guide types works, and what an operator
// of containers expects of a good image holds.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { documentedBlocks } from '../harness/documented-commands.ts';
import { root } from '../harness/root.ts';
import { ContainerRig } from './container-rig.ts';

const rig = new ContainerRig('containers');
/** The guide's own line, but for the simulated upstream. */
const GUIDE_RUN = `docker run -d \\
    --name flow-proxy \\
    -p 8899:8899 \\
    -v $(pwd)/secrets.json:/app/secrets.json:ro \\
    -e FLOW_PROXY_LOG_LEVEL=INFO -e FLOW_PROXY_TARGET_URL=${rig.upstreamUrl} \\
    flow-proxy-plugin:latest`;
const MODELS = 'curl -sS -m 10 --retry 40 --retry-all-errors --retry-delay 1 http://localhost:8899/v1/models';
const STREAM = `curl -sS -N -m 30 http://localhost:8899/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}'`;

/** Runs the image with more options, and sees that it serves. */
async function serve(options: string, afterwards = ''): Promise<string> {
  return rig.sh(`cd /srv/rig
    docker run -d --name flow-proxy -p 8899:8899 -v $(pwd)/secrets.json:/app/secrets.json:ro \\
      -e FLOW_PROXY_TARGET_URL=${rig.upstreamUrl} ${options} flow-proxy-plugin:latest >/dev/null
    ${MODELS} | grep -q gpt-4o
    ${afterwards}`);
}

const remove = (): Promise<unknown> => rig.try('docker rm -f -t 1 flow-proxy');

describe('containers', () => {
  before(() => rig.up());
  after(() => rig.down());

  test('the image holds what runs and nothing else: no tests, sources, development packages or secrets', async () => {
    const listing = await rig.sh(`docker run --rm --entrypoint sh flow-proxy-plugin:latest -c '
      ls -A /app; ls /app/dist
      find /app -name typescript -o -path "/app/dist/*" -name "*.test.js" -o -path "/app/dist/*" -name "*.ts" -o -name secrets.json
      find /app -user 1000'`);
    // Its own code is not its to change.
    const expected = 'dist logs node_modules package.json chunks page src workers /app/logs'.split(' ');
    assert.deepEqual(listing.trim().split('\n'), expected);
    const sizes = await rig.sh(
      `docker image inspect --format '{{.Size}}' localhost/node:24-bookworm-slim flow-proxy-plugin:latest`,
    );
    const [base = 0, image = 0] = sizes.trim().split('\n').map(Number);
    const added = (image - base) / 1024 / 1024;
    assert.ok(added > 0 && added < 40, `${added.toFixed(1)} MB more than the Node image`);
  });

  describe('run as in the guide', () => {
    before(() => rig.sh(`cd /srv/rig && ${GUIDE_RUN}`));
    after(remove);

    test('serves on the published port', async () => {
      assert.match(await rig.sh(MODELS), /"gpt-4o"/);
    });

    test('logs lines of JSON that docker logs shows, and warns of nothing but who may come in', async () => {
      const logs = `until docker logs flow-proxy | grep -q 'Request processed'; do sleep 0.2; done
        docker logs flow-proxy`;
      const lines = (await rig.sh(logs)).trim().split('\n');
      const parsed: { level: string; msg: string }[] = lines.map((line) => JSON.parse(line));
      assert.ok(
        parsed.some(({ msg }) => msg.startsWith('Request processed')),
        lines.join('\n'),
      );
      const warnings = parsed.filter(({ level }) => level !== 'INFO').map(({ msg }) => msg);
      assert.equal(warnings.length, 1, warnings.join('\n'));
      assert.match(
        warnings[0] ?? '',
        /^Listening on 0\.0\.0\.0: who may come in is every client from loopback and private/,
      );
    });

    test('is healthy by a check that needs no curl, and leaves no zombies', async () => {
      await rig.sh('for i in 1 2 3; do docker healthcheck run flow-proxy; done');
      assert.equal(
        await rig.sh(`docker inspect --format '{{.State.Health.Status}}' flow-proxy`),
        'healthy\n',
      );
      const zombies = await rig.sh(
        `docker exec flow-proxy sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status || true'`,
      );
      assert.equal(zombies, '');
    });

    test('runs as uid 1000, with the primary itself as process 1', async () => {
      const status = await rig.sh('docker exec flow-proxy cat /proc/1/status');
      assert.match(status, /^Uid:\t1000\t1000\t1000\t1000$/m);
      assert.match(
        await rig.sh('docker exec flow-proxy cat /proc/1/cmdline'),
        /^flow-proxy: primary|main\.js/,
      );
    });

    test('tells its state to the command line in it', async () => {
      const status = JSON.parse(await rig.sh('docker exec flow-proxy flow-proxy status --json'));
      assert.equal(status.credentials.length, rig.credentials.length);
    });

    test('is stopped without cutting a stream, and ends with 0', async () => {
      const script = `${STREAM} >/tmp/stream & client=$!
        until grep -q delta /tmp/stream; do sleep 0.1; done
        docker stop -t 30 flow-proxy >/dev/null
        wait $client && tail -n 2 /tmp/stream | grep '^data: .DONE'
        docker inspect --format '{{.State.ExitCode}}' flow-proxy`;
      assert.equal(await rig.sh(script), 'data: [DONE]\n0\n');
    });
  });

  describe('restricted', () => {
    afterEach(remove);

    test('serves without a writable file system, capabilities or new privileges', async () => {
      const options =
        '--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --pids-limit 256';
      await serve(options, 'docker healthcheck run flow-proxy');
      assert.equal(
        (await rig.try('docker exec flow-proxy touch /app/logs/x')).code,
        1,
        'it is read-only indeed',
      );
    });

    test('goes by the limits of its cgroup: one CPU is one worker, and memory bounds that worker and its heap', async () => {
      const state = await serve(
        '--cpus 1 --memory 768m',
        `docker exec flow-proxy sh -c 'cd /sys/fs/cgroup; cat memory.max 2>/dev/null || cat memory/memory.limit_in_bytes'
        docker exec flow-proxy flow-proxy status --json`,
      );
      const [limit = '', ...json] = state.trim().split('\n');
      const status = JSON.parse(json.join('\n'));
      assert.equal(Number(limit), 768 * 1024 * 1024, 'the limit is in force');
      assert.equal(status.workers.length, 1);
      const share = (0.8 * 768) / 2;
      const { hardBytes, heapBytes } = status.limits;
      const megabytes = [hardBytes, heapBytes].map((bytes) => Math.floor(bytes / 1024 / 1024));
      assert.deepEqual(megabytes, [Math.floor(share), Math.floor(0.75 * share)]);
    });

    test('is checked over TLS and on another port as well', async () => {
      const script = `cd /srv/rig && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=proxy.example \\
          -keyout key.pem -out cert.pem 2>/dev/null && chown 1000 key.pem
        docker run -d --name flow-proxy -v $(pwd):/etc/flow-proxy:ro -e FLOW_PROXY_PORT=9443 \\
          -e FLOW_PROXY_SECRETS_FILE=/etc/flow-proxy/secrets.json -e FLOW_PROXY_TARGET_URL=${rig.upstreamUrl} \\
          -e FLOW_PROXY_TLS_CERT_FILE=/etc/flow-proxy/cert.pem -e FLOW_PROXY_TLS_KEY_FILE=/etc/flow-proxy/key.pem \\
          flow-proxy-plugin:latest >/dev/null
        until docker healthcheck run flow-proxy; do sleep 0.5; done
        docker exec flow-proxy flow-proxy healthcheck`;
      assert.match(await rig.sh(script), /127\.0\.0\.1:9443 \/healthz 200/);
    });

    test('reads a secret that belongs to root by its group, without a warning, as Kubernetes mounts it', async () => {
      const script = `cd /srv/rig && install -m 0440 -g 1000 secrets.json mounted.json
        docker run --rm -v $(pwd)/mounted.json:/app/secrets.json:ro flow-proxy-plugin:latest check 2>&1`;
      assert.doesNotMatch(await rig.sh(script), /warning/);
    });
  });

  describe('what cannot work ends with 78 and says what to do', () => {
    const refusals = [
      [
        'there is no secrets.json to mount',
        '-v /srv/rig/none:/app/secrets.json:ro',
        /is a folder.*Docker makes one/,
      ],
      [
        'secrets.json belongs to somebody else',
        '-v /srv/rig/foreign.json:/app/secrets.json:ro',
        /permission denied \(.*uid 0, mode 0600, and this process is uid 1000: `chown 1000 /,
      ],
      [
        'the folder for logs belongs to somebody else',
        '-v /srv/rig/secrets.json:/app/secrets.json:ro -v /srv/rig/logs:/app/logs -e FLOW_PROXY_LOG_DIR=/app/logs',
        /log file "\/app\/logs\/.*cannot be written.*this process is uid 1000: `chown 1000 \/app\/logs`/,
      ],
    ] as const;
    for (const [what, options, message] of refusals) {
      test(what, async () => {
        await rig.sh('cd /srv/rig && mkdir -p none logs && install -m 0600 secrets.json foreign.json');
        const { code, stderr } = await rig.try(`docker run --rm ${options} flow-proxy-plugin:latest`);
        assert.equal(code, 78, stderr);
        assert.match(stderr, message);
      });
    }
  });

  test('compose: up, ps, logs, restart and down, with logs in ./logs beside secrets.json', async () => {
    const compose = root('ops/docker/compose.yaml');
    const script = `mkdir -p /srv/checkout/ops/docker /srv/checkout/logs && cd /srv/checkout && chown 1000 logs
      cp ${compose} ops/docker/ && cp -p /srv/rig/secrets.json .
      printf 'services: {flow-proxy: {environment: {FLOW_PROXY_TARGET_URL: "${rig.upstreamUrl}"}}}' >rig.yaml
      export COMPOSE_FILE=ops/docker/compose.yaml:rig.yaml
      exec 2>/tmp/compose.log
      docker-compose up -d --no-build >/dev/null
      ${MODELS} | grep -o '"gpt-4o"'
      docker-compose ps | grep -o 'flow-proxy-plugin$'
      until docker-compose logs 2>&1 | grep -o -m 1 'Ready on http'; do sleep 0.2; done
      until docker-compose logs 2>&1 | grep -o -m 1 'Request processed successfully'; do sleep 0.2; done
      docker-compose restart >/dev/null
      ${MODELS} | grep -o '"gpt-4o"'
      docker inspect flow-proxy-plugin --format '{{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.RestartPolicy.Name}}'
      until [ "$(cat logs/* | grep -c 'Request processed')" = 2 ]; do sleep 0.2; done
      docker-compose down >/dev/null
      docker ps -a --quiet`;
    const answer = await rig.sh(script);
    assert.deepEqual(answer.trim().split('\n'), [
      '"gpt-4o"',
      'flow-proxy-plugin',
      'Ready on http',
      'Request processed successfully',
      '"gpt-4o"',
      '1073741824 true unless-stopped',
    ]);
  });

  test('what docs/operations.md prints works as it is printed', async () => {
    const blocks = documentedBlocks().filter(({ commands }) =>
      commands.some((command) => /\bdocker/.test(command)),
    );
    assert.ok(blocks.length >= 3);
    // A checkout with where it came from. Times are kept: the rig has no network, and each step of the build is known by them.
    await rig.sh(`mkdir -p /srv/documented && cd ${root('.')}
      cp -a .dockerignore .npmrc Dockerfile package.json package-lock.json tsconfig.json ops src workers /srv/documented
      cd /srv/documented && git init -q -b main && git add -A
      git -c user.name=rig -c user.email=rig@example.com commit -qm 'The checkout'
      git clone -q --bare . /srv/origin.git && git remote add origin /srv/origin.git && git fetch -q
      git branch -q -u origin/main && cp -p /srv/rig/secrets.json .`);
    for (const { commands, place } of blocks) {
      const script = `cd /srv/documented && sudo() { "$@"; }
        docker rm -f -t 1 flow-proxy >/dev/null 2>&1 || true
        ${commands.map(playedCommand).join('\n')}`;
      const { code, stderr } = await rig.try(script);
      assert.equal(code, 0, `${place}\n${script}\n${stderr}`);
    }
  });
});

/** A documented command as the rig runs it: what is followed ends, and what is started is waited for. */
function playedCommand(command: string): string {
  if (/ -f( |$)/.test(command.replace(/#.*/, '')) && / logs /.test(command)) {
    return `timeout 2 ${command} || [ $? = 124 ]`.replace(/#.*\|\|/, '||');
  }
  if (!/docker run|docker-compose (up|restart)/.test(command)) return command;
  const name = command.includes('docker-compose') ? 'flow-proxy-plugin' : 'flow-proxy';
  return `${command}\nuntil docker exec ${name} flow-proxy healthcheck; do sleep 0.5; done`;
}
