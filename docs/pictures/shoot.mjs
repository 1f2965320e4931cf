// Takes a picture of a page with a headless Chromium, as tall as the page is unless HEIGHT says otherwise:
//
//   node shoot.mjs FILE.png URL WIDTH [HEIGHT [SCRIPT to run before]]
//
// Controls the browser by the DevTools protocol over two pipes: `--screenshot` leaves the height of a window's frame unpainted.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [file, url, width, height, script] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'shoot-'));
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--allow-file-access-from-files', '--hide-scrollbars', '--remote-debugging-pipe'];
const browser = spawn(process.env.CHROMIUM ?? 'chromium', [...flags, `--user-data-dir=${profile}`], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const [to, from] = browser.stdio.slice(3);
const limit = setTimeout(() => { console.error(`${url}: no picture within a minute`); process.exitCode = 1; browser.kill(); }, 60_000);
browser.on('error', (error) => { console.error(error.message); process.exit(1); });
browser.on('exit', () => { clearTimeout(limit); fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 }); });

let [id, text, session] = [0, ''];
const waiting = new Map();
from.on('data', (data) => {
  text += data;
  for (let end; (end = text.indexOf('\0')) >= 0; text = text.slice(end + 1)) {
    const response = JSON.parse(text.slice(0, end));
    waiting.get(response.id)?.(response);
  }
});
const call = (method, params = {}) => new Promise((done, failed) => {
  waiting.set(++id, (response) => (response.error ? failed(new Error(`${method}: ${response.error.message}`)) : done(response.result)));
  to.write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`);
});
const size = (tall) => call('Emulation.setDeviceMetricsOverride', { width: Number(width), height: tall, deviceScaleFactor: 1, mobile: false });
const value = async (expression) => (await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;

try {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  session = (await call('Target.attachToTarget', { targetId, flatten: true })).sessionId;
  await size(Number(height || 100));
  await call('Page.navigate', { url });
  // What a page fetches after it has loaded comes within a second.
  await new Promise((done) => setTimeout(done, 2500));
  if (script) await value(script);
  if (!height) await size(await value('document.documentElement.scrollHeight'));
  const { data } = await call('Page.captureScreenshot');
  fs.writeFileSync(file, Buffer.from(data, 'base64'));
} finally {
  browser.kill();
}
