import { chromium, type Browser } from 'playwright-core';
import { AgentOnceError } from '../../../src/contract/errors.ts';
import { findChromium } from './find-chromium.ts';

/** It opens pages of this machine only, and asks nobody for anything else. */
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts a headless Chromium; the caller closes it.
 *
 * @throws {AgentOnceError} `part.failed` if there is none
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await findChromium();
  if (executablePath === undefined) {
    throw new AgentOnceError(
      'part.failed',
      'A browser is needed, and neither Chromium nor Chrome was found. Install one (on Debian and ' +
        'Ubuntu: apt-get install chromium), or set CHROMIUM_PATH to its path.',
    );
  }
  // Its sandbox refuses to work as root and in most containers.
  return chromium.launch({ executablePath, args: QUIET, chromiumSandbox: false });
}
