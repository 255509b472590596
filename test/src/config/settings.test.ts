import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folder, load, problemsOf, root } from './loading.ts';

describe('accepted settings', () => {
  it('trim the slash at the end of the target and keep its base path', () => {
    const environment = { FLOW_PROXY_TARGET_URL: 'HTTP://Host:8080/base//' };
    assert.equal(load({ environment }).settings.targetUrl, 'http://host:8080/base');
  });

  it('take words in any case, decimals, brackets around IPv6 and white space around values', () => {
    const environment = {
      FLOW_PROXY_LOG_LEVEL: 'warning',
      FLOW_PROXY_NUM_WORKERS: ' 4 ',
      FLOW_PROXY_CONNECT_TIMEOUT: '0.25',
      FLOW_PROXY_HOST: '[::1]',
      FLOW_PROXY_MAX_BODY_MB: '0.5',
    };
    const { settings } = load({ environment });
    assert.equal(settings.log.level, 'WARNING');
    assert.equal(settings.numWorkers, 4);
    assert.equal(settings.connectTimeoutMs, 250);
    assert.equal(settings.host, '::1');
    assert.equal(settings.maxBodyBytes, 512 * 1024);
  });

  it('resolve every path against the working directory', () => {
    const { settings } = load({
      flags: { secretsFile: 'a.json', upstreamCaFile: 'ca.pem', rewriteRulesFile: '/r.json' },
    });
    assert.equal(settings.secretsFile, join(root, 'a.json'));
    assert.equal(settings.upstreamCaFile, join(root, 'ca.pem'));
    assert.equal(settings.rewriteRulesFile, '/r.json');
  });
});

describe('where the log goes', () => {
  const log = (flags: Record<string, string>) => {
    const { settings, warnings } = load({ flags });
    return {
      rotation: settings.log.rotation,
      file: 'file' in settings.log ? settings.log.file : undefined,
      warnings,
    };
  };

  it('is a file others rotate when a file is given, below the log folder if it is relative', () => {
    assert.deepEqual(log({ logFile: 'x.log' }), {
      rotation: 'external',
      file: join(root, 'x.log'),
      warnings: [],
    });
    assert.deepEqual(log({ logFile: 'x.log', logDir: '/logs' }), {
      rotation: 'external',
      file: '/logs/x.log',
      warnings: [],
    });
  });

  it('is app.log in the folder, rolled by us, when only a folder is given', () => {
    assert.deepEqual(log({ logDir: 'logs' }), {
      rotation: 'internal',
      file: join(root, 'logs', 'app.log'),
      warnings: [],
    });
  });

  it('is rotated as asked when that is said', () => {
    assert.equal(log({ logDir: 'logs', logRotation: 'external' }).rotation, 'external');
    assert.equal(log({ logFile: 'x.log', logRotation: 'INTERNAL' }).rotation, 'internal');
  });

  it('comes with a warning about a setting that has no effect', () => {
    assert.deepEqual(log({ logRotation: 'internal' }).warnings, [
      '--log-rotation is ignored: neither a log file nor a log folder is set',
    ]);
    assert.deepEqual(log({ logStdout: 'service' }).warnings, [
      '--log-stdout is ignored: without a log file or folder standard output is the log',
    ]);
    assert.deepEqual(log({ logFile: '/x.log', logDir: '/logs' }).warnings, [
      '--log-dir is ignored: --log-file is an absolute path',
    ]);
  });
});

describe('the outbound proxy', () => {
  const proxyOf = (environment: Record<string, string>, cwd: string = root) =>
    load({ environment, cwd }).settings.outboundProxyUrl;

  it('is the one of the setting, before any of the usual variables', () => {
    const environment = {
      FLOW_PROXY_UPSTREAM_PROXY: 'http://ours:1',
      HTTPS_PROXY: 'http://theirs:2',
      NO_PROXY: '*',
    };
    assert.equal(proxyOf(environment), 'http://ours:1/');
  });

  it('is none when the setting says so', () => {
    assert.equal(proxyOf({ FLOW_PROXY_UPSTREAM_PROXY: 'None', HTTPS_PROXY: 'http://theirs:2' }), null);
  });

  it('is otherwise what HTTPS_PROXY and NO_PROXY say, also from the .env file', () => {
    assert.equal(proxyOf({ HTTPS_PROXY: 'theirs:2' }), 'http://theirs:2/');
    assert.equal(proxyOf({ HTTPS_PROXY: 'theirs:2', NO_PROXY: '.ciandt.com' }), null);
    assert.equal(proxyOf({}, folder('https_proxy=http://file:3\n')), 'http://file:3/');
    assert.equal(
      proxyOf({ HTTPS_PROXY: 'http://env:2' }, folder('https_proxy=http://file:3\n')),
      'http://env:2/',
    );
  });

  it('is refused when it cannot be used, unless it does not apply', () => {
    const environment = { HTTPS_PROXY: 'socks5://a:1' };
    assert.match(
      problemsOf({ environment }).join(),
      /^HTTPS_PROXY: "socks5:\/\/a:1" is not an http:\/\/ or https:\/\//,
    );
    assert.equal(proxyOf({ ...environment, NO_PROXY: '*' }), null);
  });

  it('is shown without its password', () => {
    const { effective } = load({ environment: { HTTPS_PROXY: 'http://u:CANARY@corp:3128' } });
    assert.equal(
      effective.find(({ name }) => name === 'upstreamProxy')?.value,
      'http://***@corp:3128/ (HTTPS_PROXY)',
    );
    assert.doesNotMatch(JSON.stringify(effective), /CANARY/);
  });
});
