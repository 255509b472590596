import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { describeCertificate, readTlsPair } from '../../../src/clients/tls-pair.ts';
import { ConfigError } from '../../../src/errors.ts';
import { makeCertificate } from '../../harness/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-tls-'));
after(() => rmSync(folder, { recursive: true }));
const pair = makeCertificate();
const other = makeCertificate();
const DAY_MS = 86_400_000;

function filesOf(cert: string, key: string) {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return { certFile, keyFile };
}

function problemsOf(cert: string, key: string, now = Date.now()): string {
  try {
    readTlsPair(filesOf(cert, key), now);
  } catch (cause) {
    assert.ok(cause instanceof ConfigError);
    const said = cause.problems.join('\n');
    assert.ok(!said.includes(key.split('\n')[1] ?? '?'), 'the key is in the message');
    return said;
  }
  return assert.fail('the pair was accepted');
}

describe('a certificate and its key', () => {
  it('are read as they are, with what an operator wants to know of them', () => {
    const read = readTlsPair(filesOf(pair.certificate, pair.key), Date.now());
    assert.equal(read.cert, pair.certificate);
    assert.equal(read.key, pair.key);
    assert.match(describeCertificate(read), /^localhost, valid until \d{4}-\d\d-\d\dT/);
  });

  it('may have the chain behind the certificate', () => {
    const chain = `${pair.certificate}\n${other.certificate}`;
    assert.equal(readTlsPair(filesOf(chain, pair.key), Date.now()).cert, chain);
  });

  it('are refused when they do not belong together', () => {
    assert.match(
      problemsOf(pair.certificate, other.key),
      /FLOW_PROXY_TLS_KEY_FILE ".*key\.pem" is not the key of/,
    );
  });

  it('are refused when the certificate has expired, or is not valid yet', () => {
    assert.match(problemsOf(pair.certificate, pair.key, Date.now() + 3 * DAY_MS), /cert\.pem" expired on /);
    assert.match(
      problemsOf(pair.certificate, pair.key, Date.now() - 3 * DAY_MS),
      /cert\.pem" is not valid before /,
    );
  });

  it('are refused with every problem when they are something else', () => {
    const said = problemsOf('hello', 'hello');
    assert.match(said, /FLOW_PROXY_TLS_CERT_FILE ".*" holds no PEM certificate/);
    assert.match(said, /FLOW_PROXY_TLS_KEY_FILE ".*" holds no PEM private key/);
    assert.match(problemsOf(pair.key, pair.key), /holds no PEM certificate/);
    assert.match(problemsOf(pair.certificate, pair.certificate), /holds no PEM private key/);
    const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n';
    assert.match(problemsOf(pair.certificate, encrypted), /protected by a passphrase/);
  });

  it('are refused when they cannot be read', () => {
    const files = { certFile: join(folder, 'none'), keyFile: join(folder, 'neither') };
    assert.throws(() => readTlsPair(files, Date.now()), /none": no such file; .*neither": no such file/);
  });
});
