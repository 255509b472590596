import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redactUrl } from '../../../src/config/redact-url.ts';

describe('redactUrl', () => {
  const cases: readonly [text: string, redacted: string][] = [
    ['https://host:1/path', 'https://host:1/path'],
    ['https://user:pass@host/', 'https://***@host/'],
    ['user:pass@host', '***@host'],
    ['http://u:p#s/w?d@host', 'http://***@host'],
    ['http://u:p@ss@host', 'http://***@host'],
    ['http://host/?key=x#y', 'http://host/?***'],
    ['http://u:a\nb@host', 'http://***@host'],
  ];
  for (const [text, redacted] of cases) {
    it(`turns ${JSON.stringify(text)} into ${redacted}`, () => assert.equal(redactUrl(text), redacted));
  }
});
