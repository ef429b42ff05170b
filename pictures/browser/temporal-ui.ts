import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { AgentOnceError } from '../../src/contract/errors.ts';
import { openBrowser } from '../../test/support/browser/open-browser.ts';

/** Part of a run's page, as the page's address names it. */
export type RunTab =
  'timeline' | 'history' | 'pending-activities' | 'user-metadata' | 'search-attributes' | 'memo';

/** Wide enough that nothing in the head of a run's page is cut off. */
const VIEWPORT = { width: 1640, height: 1000 };
const ENOUGH = 3_000;
const TIMEOUT_MS = 30_000;
const MARGIN = 24;

interface Extent {
  x: number;
  y: number;
  width: number;
  /** Where the last text ends. */
  bottom: number;
}

/** Runs in the page, whose types are not ours: text, not a function. */
const MEASURE = `(() => {
  const head = document.querySelector('#content header').getBoundingClientRect();
  const box = (element) => {
    if (element.tagName === 'IFRAME') return element.getBoundingClientRect();
    const text = document.createRange();
    text.selectNodeContents(element);
    return text.getBoundingClientRect();
  };
  const ends = [...document.querySelectorAll('#content *')]
    .filter((each) => each.tagName === 'IFRAME' ||
      (each.childElementCount === 0 && each.textContent.trim() !== ''))
    .filter((each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .map((each) => box(each).bottom);
  return { x: head.x, y: head.y, width: head.width, bottom: Math.max(...ends) };
})()`;

/** A person with a browser in front of Temporal UI. */
export class TemporalUi {
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #runs: string;

  constructor(browser: Browser, page: Page, runs: string) {
    this.#browser = browser;
    this.#page = page;
    this.#runs = runs;
  }

  /** Opens a part of a run's page; a run is found by its workflow ID, as a person would. */
  async open(workflowId: string, tab: RunTab): Promise<void> {
    await this.#page.goto(`${this.#runs}/${encodeURIComponent(workflowId)}`);
    // It goes on to the latest execution: to its run ID.
    await this.#page.waitForURL(/\/timeline/, { timeout: TIMEOUT_MS });
    await this.#page.getByTestId(`${tab}-tab`).click({ timeout: TIMEOUT_MS });
    await this.#page.waitForURL(new RegExp(`/${tab}`), { timeout: TIMEOUT_MS });
  }

  /** What is there to be read; each run of white space is one space. */
  async read(): Promise<string> {
    // Markdown, such as the current details, is drawn in frames.
    const texts = this.#page.frames().map((frame) =>
      frame
        .locator('body')
        .innerText({ timeout: 1_000 })
        // A frame that is just being replaced.
        .catch(() => ''),
    );
    return (await Promise.all(texts)).join('\n').replaceAll(/\s+/g, ' ');
  }

  /** Where the links lead that can be followed. */
  async links(): Promise<string[]> {
    const found = this.#page.frames().map((frame) =>
      frame
        .locator('a[href]')
        .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
        .catch(() => []),
    );
    return (await Promise.all(found)).flat();
  }

  /**
   * Waits until all of these can be read.
   *
   * @throws {AgentOnceError} `part.failed`, with what is there instead
   */
  async see(...texts: string[]): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const found = await this.read();
      const missing = texts.filter((text) => !found.includes(text));
      if (missing.length === 0) return;
      if (Date.now() > deadline) {
        throw new AgentOnceError(
          'part.failed',
          `Temporal UI does not show ${JSON.stringify(missing)} on ${this.#page.url()}, but:\n${found}`,
        );
      }
      await sleep(100);
    }
  }

  /** Presses what bears this text. */
  async press(text: string): Promise<void> {
    await this.#page.locator('#content').getByText(text, { exact: true }).first().click();
  }

  /**
   * Takes a picture of the run's page, without the site's navigation: from the run's status down to
   * the last text.
   *
   * @returns a PNG
   */
  async picture(): Promise<Buffer> {
    // The page scrolls in itself: a window that is high enough shows all of it.
    await this.#page.setViewportSize({ ...VIEWPORT, height: ENOUGH });
    await this.#page.mouse.move(0, 0);
    const { x, y, width, bottom } = await this.#page.evaluate<Extent>(MEASURE);
    const picture = await this.#page.screenshot({
      clip: {
        x: x - MARGIN,
        y: y - MARGIN / 2,
        width: width + 2 * MARGIN,
        height: bottom - y + MARGIN * 1.5,
      },
      animations: 'disabled',
    });
    await this.#page.setViewportSize(VIEWPORT);
    return picture;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/**
 * Opens a browser for the Temporal UI at `url`; the caller closes it.
 *
 * @throws {AgentOnceError} `part.failed` if there is no browser
 */
export async function openTemporalUi(url: string, namespace = 'default'): Promise<TemporalUi> {
  const browser = await openBrowser();
  try {
    const context = await browser.newContext({
      viewport: VIEWPORT,
      locale: 'en-US',
      timezoneId: 'UTC',
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    // The UI asks for news on the internet.
    const { origin } = new URL(url);
    await context.route(
      (asked) => asked.origin !== origin,
      (route) => route.abort(),
    );
    const page = await context.newPage();

    return new TemporalUi(browser, page, `${origin}/namespaces/${namespace}/workflows`);
  } catch (error) {
    await browser.close();
    throw error;
  }
}
