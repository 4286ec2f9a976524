// What the tests do on the playground's page, in words: click, fill in, wait for a value, read it.
import assert from 'node:assert/strict';

export const byId = (id) => `[data-testid="${id}"]`;

// A page that remembers what went wrong on it. `before` runs in it before its own scripts do.
export async function openPage(browser, url, { width = 1280, height = 900, scheme, before } = {}) {
  const page = await browser.newPage();
  if (before) await page.evaluateOnNewDocument(before);
  await page.setViewport({ width, height });
  if (scheme) await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warn', 'assert'].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  await page.goto(url, { waitUntil: 'load' });
  return { page, problems };
}

export class Playground {
  constructor(page) {
    this.page = page;
    page.setDefaultTimeout(60_000);
  }

  async ready() {
    await this.page.waitForSelector('#app[data-ready="true"], [data-testid="start-failed"]');
    const failure = await this.page.$(byId('start-failed'));
    assert.equal(failure, null, failure && (await failure.evaluate((element) => element.textContent)));
  }

  async open(tab) {
    await this.page.evaluate((hash) => (location.hash = hash), tab);
    await this.page.waitForSelector(`#panel-${tab}:not([hidden])`);
  }

  async click(id) {
    await this.page.waitForSelector(`${byId(id)}:not(:disabled)`);
    await this.page.$eval(byId(id), (element) => element.click());
  }

  // Sets a field as a person would leave it: the value is there and the page has heard of it.
  async set(id, value) {
    await this.page.$eval(
      byId(id),
      (element, wanted) => {
        if (element.type === 'checkbox') element.checked = wanted;
        else element.value = wanted;
        element.dispatchEvent(new Event('input', { bubbles: true }));
        element.dispatchEvent(new Event('change', { bubbles: true }));
      },
      typeof value === 'boolean' ? value : String(value),
    );
  }

  async text(id) {
    return this.page.$eval(byId(id), (element) => element.textContent.trim());
  }

  async value(id) {
    return this.page.$eval(byId(id), (element) => element.dataset.value);
  }

  async number(id) {
    return Number(await this.value(id));
  }

  async waitValue(id, wanted, timeout = 60_000) {
    await this.page.waitForFunction(
      (selector, value) => document.querySelector(selector)?.dataset.value === value,
      { timeout, polling: 20 },
      byId(id),
      String(wanted),
    );
  }

  async waitAtLeast(id, least, timeout = 60_000) {
    await this.page.waitForFunction(
      (selector, value) => Number(document.querySelector(selector)?.dataset.value) >= value,
      { timeout, polling: 20 },
      byId(id),
      least,
    );
  }

  async waitText(id, pattern, timeout = 60_000) {
    await this.page.waitForFunction(
      (selector, source) => new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
      { timeout, polling: 20 },
      byId(id),
      pattern.source,
    );
  }

  // ---- channels ----

  async useWorkers(count) {
    if ((await this.number('header-workers')) === count) return;
    await this.set('chan-workers', count);
    await this.waitValue('header-workers', count);
    await this.page.waitForSelector(`${byId('chan-workers')}:not(:disabled)`);
  }

  async startDemo(demo, fields = {}) {
    await this.set('chan-demo', demo);
    for (const [id, value] of Object.entries(fields)) await this.set(`chan-${id}`, value);
    await this.click('chan-start');
    await this.page.waitForFunction(
      (selector) => document.querySelector(selector).dataset.state !== 'none',
      {},
      byId('chan-result'),
    );
  }

  async finished(timeout = 60_000) {
    await this.page.waitForFunction(
      (selector) => ['done', 'stopped'].includes(document.querySelector(selector).dataset.state),
      { timeout, polling: 20 },
      byId('chan-result'),
    );
    return this.page.$eval(byId('chan-result'), (element) => element.dataset.state);
  }
}
