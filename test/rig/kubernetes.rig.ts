// The manifests: valid by the API's own schemas, safe by its strictest standard, fitting what flow-proxy does; and
// running, as far as podman can play them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IService } from 'kubernetes-models/v1/Service';
import { stringify } from 'yaml';
import { runFlowProxy } from '../harness/command.ts';
import { ContainerRig } from './container-rig.ts';
import {
  type Manifest,
  objectsOf,
  renderProduction,
  schemaProblems,
  unknownFields,
} from './kubernetes-manifests.ts';

const rig = new ContainerRig('kubernetes');
const SECRETS = { 'overlays/production/secrets.json': JSON.stringify(rig.credentials) };
const KEYS = { ...SECRETS, 'overlays/production/client-keys.json': '{}' };
const plain = objectsOf(renderProduction({ files: SECRETS, hasComponents: false }));
const whole = objectsOf(renderProduction({ files: KEYS, hasComponents: true }));
/** What a worker gets beyond its drain deadline, before it is killed. */
const LEAVE_S = 5;
/** Stands for the mounted Secret. */
const MOUNTED = '/srv/rig/mounted';

/** The one object of a kind, and of a name where there are more. */
function only<T extends Manifest>(objects: readonly Manifest[], kind: string, name = /./): T {
  const found = objects.filter(
    (object): object is T => object.kind === kind && name.test(object.metadata.name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return first;
}

const deployment = only<IDeployment & Manifest>(plain, 'Deployment');
const pod = deployment.spec?.template.spec;
const container = pod?.containers[0];
const settings = only<IConfigMap & Manifest>(plain, 'ConfigMap').data ?? {};

describe('Kubernetes manifests', () => {
  for (const [what, objects] of [
    ['the production overlay', plain],
    ['the production overlay with every component', whole],
  ] as const) {
    test(`${what} is valid by the schemas of the API, with no field that it does not know`, async () => {
      assert.ok(objects.length >= 8, `${objects.length} objects`);
      assert.deepEqual(await schemaProblems(objects), []);
      assert.deepEqual(unknownFields(objects), []);
    });
  }

  test('a mistake in them would be found', async () => {
    const wrong = { ...deployment, spec: { ...deployment.spec, replicas: 'three' } };
    assert.equal((await schemaProblems([wrong])).length, 1);
    const misspelt = { ...deployment, replica: 3 };
    assert.match(unknownFields([misspelt]).join(), /replica/);
  });

  test('every setting in the ConfigMap is one that flow-proxy takes without a warning', async () => {
    for (const objects of [plain, whole]) {
      const { data = {} } = only<IConfigMap & Manifest>(objects, 'ConfigMap');
      const { code, stderr } = await runFlowProxy({ environment: data, args: ['config'] });
      assert.deepEqual([code, stderr], [0, '']);
    }
  });

  test('three replicas roll over without ever being fewer, and one pod at a time leaves for maintenance', () => {
    assert.equal(deployment.spec?.replicas, 3);
    assert.deepEqual(deployment.spec?.strategy?.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
    const budget = only<IPodDisruptionBudget & Manifest>(plain, 'PodDisruptionBudget').spec;
    assert.equal(budget?.maxUnavailable, 1);
    assert.deepEqual(budget?.selector, deployment.spec?.selector);
    const { minReplicas, scaleTargetRef } =
      only<IHorizontalPodAutoscaler & Manifest>(plain, 'HorizontalPodAutoscaler').spec ?? {};
    assert.deepEqual([minReplicas, scaleTargetRef?.name], [3, deployment.metadata.name]);
  });

  test('liveness asks /healthz, readiness /readyz, and the grace period covers pause and drain', () => {
    assert.equal(container?.livenessProbe?.httpGet?.path, '/healthz');
    assert.equal(container?.readinessProbe?.httpGet?.path, '/readyz');
    const pause = Number(container?.lifecycle?.preStop?.exec?.command?.[1]);
    const drain = Number(settings['FLOW_PROXY_DRAIN_TIMEOUT']);
    assert.ok(pause >= 5, `${pause} s for the endpoints to go`);
    assert.ok((pod?.terminationGracePeriodSeconds ?? 0) >= pause + drain + LEAVE_S);
  });

  test('pods keep to the restricted security standard, with a read-only root file system', () => {
    assert.equal(pod?.securityContext?.runAsNonRoot, true);
    assert.equal(pod?.securityContext?.seccompProfile?.type, 'RuntimeDefault');
    const { securityContext } = container ?? {};
    assert.equal(securityContext?.allowPrivilegeEscalation, false);
    assert.equal(securityContext?.readOnlyRootFilesystem, true);
    assert.deepEqual(securityContext?.capabilities, { drop: ['ALL'] });
    assert.equal(pod?.automountServiceAccountToken, false);
    assert.equal(pod?.enableServiceLinks, false, 'else a Service named flow-proxy would set FLOW_PROXY_PORT');
    assert.ok(container?.resources?.requests && container.resources.limits);
  });

  test('all that refers to something refers to something that is there', () => {
    const labels = deployment.spec?.template.metadata?.labels;
    const ports = new Set(container?.ports?.flatMap(({ name, containerPort }) => [name, containerPort]));
    for (const { spec } of whole.filter(
      (object): object is IService & Manifest => object.kind === 'Service',
    )) {
      assert.deepEqual(spec?.selector, { app: labels?.['app'] });
      for (const { targetPort } of spec?.ports ?? [])
        assert.ok(targetPort === 'admin' || ports.has(String(targetPort)));
    }
    const secret = only(plain, 'Secret').metadata.name;
    assert.equal(pod?.volumes?.find(({ name }) => name === 'secrets')?.secret?.secretName, secret);
    assert.equal(container?.envFrom?.[0]?.configMapRef?.name, only(plain, 'ConfigMap').metadata.name);
    const mounted = container?.volumeMounts?.find(({ name }) => name === 'secrets')?.mountPath;
    assert.equal(settings['FLOW_PROXY_SECRETS_FILE'], `${mounted}/secrets.json`);
    for (const object of plain.filter(({ kind }) => kind !== 'Namespace'))
      assert.equal(object.metadata.namespace, 'flow-proxy');
  });

  test('pods are reached at the serving port only, and reach DNS and HTTPS only', () => {
    const { ingress = [], egress = [] } = only<INetworkPolicy & Manifest>(plain, 'NetworkPolicy').spec ?? {};
    assert.deepEqual(
      ingress.flatMap(({ ports = [] }) => ports.map(({ port }) => port)),
      ['http'],
    );
    assert.deepEqual(
      egress.flatMap(({ ports = [] }) => ports.map(({ port }) => port)),
      [53, 53, 443],
    );
  });

  test('without secrets.json nothing is rendered', () => {
    assert.throws(() => renderProduction({ files: {}, hasComponents: false }), /secrets\.json/);
  });

  describe('played by podman', () => {
    before(() => rig.up());
    after(() => rig.down());

    test('the pod serves from a read-only root as uid 1000, with a secret that only its group may read, and ends with 0', async () => {
      const script = `install -d ${MOUNTED} && install -m 0440 -g 1000 /srv/rig/secrets.json ${MOUNTED}/
        cat >/srv/rig/play.yaml <<'END'
${playable(whole)}
END
        docker kube play /srv/rig/play.yaml >/dev/null
        name=$(docker ps -a --format '{{.Names}}' | grep -- '-flow-proxy$')
        curl -s -m 10 --retry 20 --retry-all-errors --retry-delay 1 http://localhost:8899/v1/models |
          grep -o -m 1 '"gpt-4o"' || { docker ps -a; docker logs $name; exit 1; }
        for path in healthz readyz; do curl -sS -o /dev/null -w '%{http_code}\\n' http://localhost:8899/$path; done
        docker exec $name id -u
        docker exec $name touch /app/x 2>&1 | grep -o 'Read-only file system'
        docker logs $name | grep -c -e '"level":"ERROR"' -e 'open to others' || true
        docker stop -t 20 $name >/dev/null
        docker inspect $name --format '{{.State.ExitCode}}'`;
      const expected = ['"gpt-4o"', '200', '200', '1000', 'Read-only file system', '0', '0'];
      assert.deepEqual((await rig.sh(script)).trim().split('\n'), expected);
    });
  });
});

/** What podman 4.3 can play: it knows no NetworkPolicy and the like, and takes one replica with a port of the host. */
function playable(objects: readonly Manifest[]): string {
  const { data, metadata } = only<IConfigMap & Manifest>(objects, 'ConfigMap');
  // No client keys: nobody would have one here.
  const { FLOW_PROXY_CLIENT_KEYS_FILE: _keys, ...others } = data ?? {};
  const map = { ...others, FLOW_PROXY_TARGET_URL: rig.upstreamUrl };
  const {
    startupProbe: _startup,
    livenessProbe: _live,
    readinessProbe: _ready,
    ...played
  } = container ?? { name: '' };
  const spec = {
    ...pod,
    topologySpreadConstraints: undefined,
    // podman 4.3 mounts a Secret without decoding it: a folder with the owner and mode that a kubelet gives it.
    volumes: pod?.volumes?.map((volume) =>
      volume.secret ? { name: volume.name, hostPath: { path: MOUNTED, type: 'Directory' } } : volume,
    ),
    containers: [
      {
        ...played,
        image: rig.image,
        imagePullPolicy: 'Never',
        ports: [{ containerPort: 8899, hostPort: 8899 }],
        envFrom: [{ configMapRef: { name: metadata.name } }],
      },
    ],
  };
  const { template } = deployment.spec ?? {};
  const parts = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: metadata.name }, data: map },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'flow-proxy-pod', labels: template?.metadata?.labels },
      spec,
    },
  ];
  return parts.map((part) => stringify(part)).join('---\n');
}
