// Finds the browsers and starts them, each with a profile of its own that goes away afterwards.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';

const browsers = {
  chromium: {
    variable: 'CHROME_PATH',
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    options: {
      browser: 'chrome',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  firefox: {
    variable: 'FIREFOX_PATH',
    names: ['firefox-esr', 'firefox'],
    options: {
      browser: 'firefox',
      // No look-ups of its own while the tests run.
      extraPrefsFirefox: {
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
      },
    },
  },
};

function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  return undefined;
}

// The program of 'chromium' or 'firefox'. Throws when there is none.
export function findBrowser(kind) {
  const { variable, names } = browsers[kind];
  const given = process.env[variable];
  if (given) {
    if (existsSync(given)) return given;
    throw new Error(`${variable} names ${given}, which does not exist`);
  }
  for (const name of names) {
    const file = onPath(name);
    if (file) return file;
  }
  throw new Error(`no ${kind} found: run wasm-tests/browser/install-browsers.sh, or set ${variable}`);
}

export async function launch(kind) {
  return puppeteer.launch({
    executablePath: findBrowser(kind),
    headless: true,
    protocolTimeout: 120_000,
    ...browsers[kind].options,
  });
}
