import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load, problemsOf, root } from './loading.ts';

describe('bad settings', () => {
  it('are all reported at once, each with place, value and what is accepted', () => {
    const problems = problemsOf({
      envFile: 'missing.env',
      flags: { logFormat: 'xml' },
      environment: { FLOW_PROXY_NUM_WORKERS: '0', FLOW_PROXY_CLIENT_TIMEOUT: '10m', FLOW_PROXY_HOST: 'a b' },
    });
    assert.deepEqual(problems, [
      `env file ${join(root, 'missing.env')}: no such file`,
      'FLOW_PROXY_HOST: "a b" is not accepted, expected an IP address or a host name, without scheme or port',
      'FLOW_PROXY_CLIENT_TIMEOUT: "10m" is not accepted, expected a number of seconds from 0.1 to 86400',
      'FLOW_PROXY_NUM_WORKERS: "0" is not accepted, expected a whole number from 1 to 1024, or auto',
      '--log-format: "xml" is not accepted, expected one of auto, json, pretty (any case)',
    ]);
  });

  it('include metrics on the port of the service, the default one, too', () => {
    for (const [environment, place] of [
      [{ FLOW_PROXY_PORT: '8898' }, 'FLOW_PROXY_ADMIN_LISTEN (default): "127.0.0.1:8898"'],
      [
        { FLOW_PROXY_HOST: '0.0.0.0', FLOW_PROXY_ADMIN_LISTEN: '127.0.0.2:8899' },
        'FLOW_PROXY_ADMIN_LISTEN: "127.0.0.2:8899"',
      ],
    ] as const) {
      const [problem = ''] = problemsOf({ environment });
      assert.ok(problem.startsWith(`${place} is not accepted`), problem);
      assert.match(problem, /is the port of FLOW_PROXY_PORT.*change one/);
    }
    for (const environment of [
      { FLOW_PROXY_PORT: '0', FLOW_PROXY_ADMIN_LISTEN: '127.0.0.1:0' },
      { FLOW_PROXY_PORT: '8898', FLOW_PROXY_ADMIN_LISTEN: 'off' },
      { FLOW_PROXY_ADMIN_LISTEN: '127.0.0.2:8899' },
    ]) {
      assert.equal(load({ environment }).settings.drainTimeoutMs, 600_000);
    }
  });

  const refused: Readonly<Record<string, readonly string[]>> = {
    PORT: ['-1', '65536', '80.5', '0x50', '1e3', '8899 tcp'],
    HOST: ['127.0.0.1:8899', 'http://localhost', '256.1.1.1', '[127.0.0.1]', '*'],
    NUM_WORKERS: ['1025', '-2', 'many'],
    LOG_LEVEL: ['TRACE'],
    CLIENT_TIMEOUT: ['0', '-1', 'Infinity', 'NaN', '86401'],
    TARGET_URL: [
      'flow.ciandt.com',
      'ftp://x/',
      'https://',
      'https://a/?',
      'https://a/#x',
      'https://@a/',
      'https://a b/',
    ],
    UPSTREAM_PROXY: ['socks5://a:1', 'http://a:1/path', 'http://'],
    LOG_RETENTION_DAYS: ['0', '1.5'],
    MAX_BODY_MB: ['0', '1025'],
    LOG_FILE: ['a\nb'],
  };
  for (const [suffix, texts] of Object.entries(refused)) {
    it(`include FLOW_PROXY_${suffix}: ${texts.map((text) => JSON.stringify(text)).join(' ')}`, () => {
      for (const text of texts) {
        const problems = problemsOf({ environment: { [`FLOW_PROXY_${suffix}`]: text } });
        assert.equal(problems.length, 1, text);
        assert.ok(problems[0]?.startsWith(`FLOW_PROXY_${suffix}: "`), text);
      }
    });
  }

  it('include a roll size above the total, but a default roll size gives way', () => {
    const environment = { FLOW_PROXY_LOG_MAX_SIZE_MB: '5' };
    assert.equal(load({ environment }).settings.log.rollBytes, 5 * 1024 * 1024);
    assert.deepEqual(problemsOf({ environment, flags: { logRollSizeMb: '6' } }), [
      '--log-roll-size-mb: "6" is not accepted, expected at most "5", the value of FLOW_PROXY_LOG_MAX_SIZE_MB',
    ]);
  });

  it('include a certificate without its key, and a key without its certificate', () => {
    assert.deepEqual(problemsOf({ environment: { FLOW_PROXY_TLS_CERT_FILE: 'c.pem' } }), [
      'FLOW_PROXY_TLS_CERT_FILE is set but FLOW_PROXY_TLS_KEY_FILE is not: both or none',
    ]);
    assert.deepEqual(problemsOf({ flags: { tlsKeyFile: 'k.pem' } }), [
      '--tls-key-file is set but FLOW_PROXY_TLS_CERT_FILE is not: both or none',
    ]);
    const { settings } = load({ flags: { tlsCertFile: 'c.pem', tlsKeyFile: '/k.pem' } });
    assert.deepEqual(settings.clients.tls, { certFile: join(root, 'c.pem'), keyFile: '/k.pem' });
  });

  it('show no password, query or fragment of a URL, not even of one too broken to parse', () => {
    const texts = [
      'https://u:CANARY@h/',
      'https://h/?k=CANARY',
      'https://u:CAN#ARY/CANARY@h',
      'u:CANARY@h:x',
      'https://h/#CANARY',
    ];
    for (const text of texts) {
      const environment = { FLOW_PROXY_TARGET_URL: text, FLOW_PROXY_UPSTREAM_PROXY: `${text}:bad/x` };
      assert.doesNotMatch(problemsOf({ environment }).join(), /CANARY|ARY/, text);
    }
    assert.doesNotMatch(
      problemsOf({ environment: { HTTPS_PROXY: 'socks5://u:CANARY@h:1' } }).join(),
      /CANARY/,
    );
  });

  it('are quoted on one line and not at endless length', () => {
    const [problem = ''] = problemsOf({ environment: { FLOW_PROXY_HOST: `a\n${'b'.repeat(5000)}` } });
    assert.ok(problem.length < 400);
    assert.doesNotMatch(problem, /\n/);
  });

  it('explain a port that Kubernetes set for a Service named flow-proxy', () => {
    const problems = problemsOf({ environment: { FLOW_PROXY_PORT: 'tcp://10.0.0.1:8899' } });
    assert.match(problems.join(), /Kubernetes .* enableServiceLinks: false/);
  });
});
