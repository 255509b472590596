// The certificate and private key for HTTPS towards clients: read, and refused with every reason why clients could
// not be served with them. The key is in no message.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readText } from '../config/read-text.ts';
import type { TlsFiles } from '../config/settings.ts';
import { ConfigError, messageOf } from '../errors.ts';

/** A pair that belongs together, as PEM text; `key` is a secret. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** Of the server's own certificate: for messages. */
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly validUntil: number;
}

/** Older versions are refused by every current client as well. */
export const MIN_TLS_VERSION = 'TLSv1.2';

const MAX_BYTES = 1024 * 1024;

/**
 * Reads both files.
 * @param now epoch milliseconds
 * @throws ConfigError with all problems of the pair
 */
export function readTlsPair({ certFile, keyFile }: TlsFiles, now: number): TlsPair {
  const problems: string[] = [];
  const inCert = `FLOW_PROXY_TLS_CERT_FILE "${certFile}"`;
  const inKey = `FLOW_PROXY_TLS_KEY_FILE "${keyFile}"`;
  const cert = readPem(certFile, inCert, problems);
  const key = readPem(keyFile, inKey, problems);
  const certificate = cert === undefined ? undefined : readCertificate(cert, inCert, problems);
  const privateKey = key === undefined ? undefined : readPrivateKey(key, inKey, problems);
  if (certificate !== undefined)
    problems.push(...validity(certificate, now).map((fault) => `${inCert} ${fault}`));
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey)) {
    problems.push(`${inKey} is not the key of the certificate in FLOW_PROXY_TLS_CERT_FILE "${certFile}"`);
  }
  if (problems.length > 0 || cert === undefined || key === undefined || certificate === undefined) {
    throw new ConfigError('TLS', problems);
  }
  assertUsable(cert, key, inCert);
  return { cert, key, subject: subjectOf(certificate), validUntil: Date.parse(certificate.validTo) };
}

/** For an operator. */
export function describeCertificate({ subject, validUntil }: TlsPair): string {
  return `${subject}, valid until ${new Date(validUntil).toISOString()}`;
}

function readPem(path: string, where: string, problems: string[]): string | undefined {
  const file = readText(path, MAX_BYTES);
  if ('text' in file) return file.text;
  problems.push(`${where}: ${file.fault}`);
  return undefined;
}

function readCertificate(pem: string, where: string, problems: string[]): X509Certificate | undefined {
  try {
    if (pem.includes('-----BEGIN ')) return new X509Certificate(pem);
  } catch {
    // What OpenSSL says of it helps nobody.
  }
  problems.push(`${where} holds no PEM certificate ("-----BEGIN CERTIFICATE-----")`);
  return undefined;
}

function readPrivateKey(pem: string, where: string, problems: string[]): KeyObject | undefined {
  if (/ENCRYPTED/.test(pem)) {
    problems.push(`${where} is protected by a passphrase; take that away with \`openssl pkey -in … -out …\``);
    return undefined;
  }
  try {
    return createPrivateKey(pem);
  } catch {
    problems.push(`${where} holds no PEM private key ("-----BEGIN PRIVATE KEY-----")`);
    return undefined;
  }
}

function validity({ validFrom, validTo }: X509Certificate, now: number): string[] {
  if (Date.parse(validTo) <= now) return [`expired on ${validTo}; renew it`];
  if (Date.parse(validFrom) > now) return [`is not valid before ${validFrom}`];
  return [];
}

/** OpenSSL refuses more than we look for, such as keys that are too short. */
function assertUsable(cert: string, key: string, where: string): void {
  try {
    createSecureContext({ cert, key, minVersion: MIN_TLS_VERSION });
  } catch (cause) {
    throw new ConfigError('TLS', [`${where} and its key cannot be used: ${messageOf(cause)}`]);
  }
}

function subjectOf({ subject, subjectAltName }: X509Certificate): string {
  const name = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return name ?? subjectAltName ?? 'no name';
}
