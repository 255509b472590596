// Renders ops/kubernetes with kubectl's kustomize and checks the objects: against the API's own schemas, for fields
// that the API does not know, and for names that refer to nothing.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../harness/root.ts';

/** What every object of Kubernetes has. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** What an overlay is rendered with. */
export interface OverlayFiles {
  /** By path below ops/kubernetes. */
  readonly files: Readonly<Record<string, string>>;
  /** Components that the overlay names in a comment and that are to be switched on. */
  readonly hasComponents: boolean;
}

const PROMETHEUS = 'monitoring.coreos.com/v1';

/** `kubectl kustomize` of the production overlay, in a copy. */
export function renderProduction({ files, hasComponents }: OverlayFiles): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-kubernetes-'));
  try {
    cpSync(root('ops/kubernetes'), folder, { recursive: true });
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    const overlay = join(folder, 'overlays/production');
    if (hasComponents) switchOnComponents(join(overlay, 'kustomization.yaml'));
    return execFileSync('kubectl', ['kustomize', overlay], { encoding: 'utf8', stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Does what the comments in the file tell an operator to do. */
function switchOnComponents(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(/^# (components:| {2}- \.\.\/)/gm, '$1').replace(/^ {6}# - /gm, '      - '),
  );
}

/** The objects of a rendered text; throws when it is not YAML. */
export function objectsOf(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object: Manifest & { readonly data?: Readonly<Record<string, string>> } = document.toJS();
    if (object.kind !== 'Secret') return object;
    // kustomize breaks long base64 into lines, which the API takes and the schema does not.
    const data = Object.entries(object.data ?? {}).map(([key, text]) => [key, text.replace(/\s/g, '')]);
    return { ...object, data: Object.fromEntries(data) };
  });
}

/** What the schemas of the API refuse: wrong types and formats, missing fields. */
export async function schemaProblems(objects: readonly Manifest[]): Promise<string[]> {
  const problems: string[] = [];
  for (const object of objects) {
    const { apiVersion, kind } = object;
    const known = await import(`${libraryOf(apiVersion)}/${apiVersion}`);
    try {
      new known[kind](object).validate();
    } catch (cause) {
      problems.push(`${kind} ${object.metadata.name}: ${String(cause)}`);
    }
  }
  return problems;
}

/** Fields that the API does not know, found by the compiler: each object as a literal of its type. */
export function unknownFields(objects: readonly Manifest[]): string[] {
  // Below the repository, so that the types are found.
  const folder = join(root('dist'), 'kubernetes-types-check');
  mkdirSync(folder, { recursive: true });
  try {
    objects.forEach((object, index) => {
      writeFileSync(join(folder, `object-${index}.ts`), literalOf(object));
    });
    const options =
      '--noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext --ignoreConfig';
    const tsc = join(dirname(root('node_modules/typescript/package.json')), 'bin/tsc');
    const files = objects.map((_object, index) => join(folder, `object-${index}.ts`));
    execFileSync(process.execPath, [tsc, ...options.split(' '), '--types', 'node', ...files], {
      stdio: 'pipe',
    });
    return [];
  } catch (cause) {
    if (!(cause instanceof Error) || !('stdout' in cause)) throw cause;
    return String(cause.stdout).trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function literalOf(object: Manifest): string {
  const { apiVersion, kind } = object;
  const type = `import type { I${kind} } from '${libraryOf(apiVersion)}/${apiVersion}/${kind}';`;
  return `${type}\nexport const object: I${kind} = ${JSON.stringify(object, null, 1)};\n`;
}

function libraryOf(apiVersion: string): string {
  return apiVersion === PROMETHEUS ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
}
