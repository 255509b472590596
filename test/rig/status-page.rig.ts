// The status page in a real Chromium: it shows what happens, by itself, in light and dark and on a phone, and comes back
// when the service does.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { runFlowProxy } from '../harness/command.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';

/** Without the flags about the background it keeps asking for hosts of its maker. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const CHAT = '/v1/chat/completions';
const PHONE = { width: 390, height: 844 };
const WAIT = { timeout: 60_000 };

describe('the status page in Chromium', () => {
  let stack: Stack;
  let browser: Browser;
  let admin: string;
  before(async () => {
    stack = await startStack({
      credentials: 3,
      settings: { ADMIN_LISTEN: `127.0.0.1:${await freePort()}`, MAX_ATTEMPTS: 1, THROTTLE_WAIT: 0 },
    });
    admin = await stack.proxy.adminUrl();
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  });
  after(async () => {
    await browser.close();
    await stack.close();
  });

  /** Opens the page; whatever it complains of fails the test. */
  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<{
    page: Page;
    context: BrowserContext;
    complaints: string[];
  }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (cause) => complaints.push(cause.message));
    await page.goto(`${admin}/status`);
    await page.locator('#link.live').waitFor(WAIT);
    return { page, context, complaints };
  }

  /** Waits until an element's text matches. */
  async function shows(page: Page, selector: string, text: RegExp): Promise<void> {
    await page.locator(selector).filter({ hasText: text }).first().waitFor(WAIT);
  }

  test('shows requests, failures, cooldowns and disabled credentials as they happen', async () => {
    const { page, context, complaints } = await open();
    await shows(page, '#state', /^ready$/);
    assert.equal(await page.locator('#workers tr').count(), 2);
    for (let index = 0; index < 6; index += 1) await call(`${stack.proxy.url}${CHAT}`, chatPost('hello'));
    await shows(page, '#requests-more', /^6 since/);
    await shows(page, '#first', /ms$/);
    stack.upstream.setFaults([{ fault: { type: 'status', status: 500 } }]);
    await call(`${stack.proxy.url}${CHAT}`, chatPost('hello'));
    await shows(page, '#recent', /5xx.*\/v1\/chat\/completions/s);
    const headers = { 'retry-after': '300' };
    stack.upstream.setFaults([{ fault: { type: 'status', status: 429, headers } }]);
    await call(`${stack.proxy.url}${CHAT}`, chatPost('hello'));
    await shows(page, '#credentials', /throttled.*5 min left/s);
    const settings = { CONTROL_SOCKET: join(stack.proxy.folder, 'control.sock') };
    await runFlowProxy({ settings, args: ['credential', 'disable', 'credential-3'] });
    await shows(page, '#credentials tr:nth-child(3)', /disabled/);
    await shows(page, '#machine', /Processors.*%/s);
    assert.ok(await page.locator('#chart .requests').getAttribute('d'));
    assert.deepEqual(complaints, []);
    await context.close();
    stack.reset();
  });

  test('follows the wish for light or dark', async () => {
    const background = async (colorScheme: 'light' | 'dark'): Promise<string> => {
      const { page, context } = await open({ colorScheme });
      const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      await context.close();
      return String(colour);
    };
    const brightness = (colour: string): number => Math.max(...(colour.match(/\d+/g) ?? []).map(Number));
    assert.ok(brightness(await background('light')) > 200);
    assert.ok(brightness(await background('dark')) < 60);
  });

  test('is readable on a phone: nothing to scroll sideways, nothing too small', async () => {
    const { page, context, complaints } = await open({ viewport: PHONE });
    await shows(page, '#credentials', /credential-1/);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
    const smallest = await page.evaluate(
      `Math.min(...[...document.querySelectorAll('main *')].map((e) => parseFloat(getComputedStyle(e).fontSize)))`,
    );
    assert.ok(Number(smallest) >= 12, `${smallest} px`);
    const folder = await mkdtemp(join(tmpdir(), 'status-page-'));
    const picture = await page.screenshot({ path: join(folder, 'phone.png'), fullPage: true });
    await rm(folder, { recursive: true });
    assert.ok(picture.length > 10_000, 'it has drawn something');
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('says when the service is away, and goes on by itself when it is back', async () => {
    const { page, context } = await open();
    const settings = { ADMIN_LISTEN: new URL(admin).host };
    await stack.proxy.stop();
    await shows(page, '#state', /not reachable/);
    await shows(page, '#link', /reconnecting/);
    const { proxy } = await startStack({ settings }, { after: (end) => ends.push(end) });
    await proxy.adminUrl();
    await shows(page, '#link', /^live$/);
    await shows(page, '#summary', new RegExp(`:${proxy.port} `));
    await context.close();
    for (const end of ends) await end();
  });
  const ends: (() => Promise<void>)[] = [];
});
