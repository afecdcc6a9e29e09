// Looks at a page as a visitor does, and fails with everything that is wrong with it. See screenshot.sh.
'use strict';
const { chromium } = require('playwright-core');
const { pathToFileURL } = require('node:url');

const [page, out] = process.argv.slice(2);
const beside = (ending) => out.replace(/\.png$/, '') + ending;
// No word of this goes anywhere: the page needs nothing, and the browser should ask for nothing either.
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// Runs in the page: what does not look as it should.
function faults() {
  const found = [];
  const name = (element) => `\`${(element.textContent || '').trim().slice(0, 40)}\``;
  const sections = [...document.querySelectorAll('main section')];
  if (sections.length < 5) found.push(`only ${sections.length} sections`);
  for (const section of sections) {
    const shapes = section.querySelectorAll('svg.chart :is(rect:not(.hover), polyline, polygon)').length;
    const cells = [...section.querySelectorAll('tbody td')].filter((cell) => cell.textContent.trim() !== '').length;
    if (shapes + cells === 0) found.push(`section \`${section.id}\` has neither a drawing nor a table`);
  }
  for (const chart of document.querySelectorAll('svg.chart')) {
    const title = chart.querySelector('title')?.textContent;
    if (!title || !chart.querySelector('desc')?.textContent) found.push('a drawing without title or description');
    if (chart.querySelectorAll('rect:not(.hover), polyline').length === 0) found.push(`\`${title}\` is empty`);
    const frame = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll('text')].map((text) => [text, text.getBoundingClientRect()]);
    for (const [text, box] of texts) {
      const inside = box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
      if (!inside) found.push(`${name(text)} leaves \`${title}\``);
    }
    texts.forEach(([text, box], at) => texts.slice(at + 1).forEach(([other, its]) => {
      const apart = box.right <= its.left || its.right <= box.left || box.bottom <= its.top + 2 || its.bottom <= box.top + 2;
      if (!apart) found.push(`${name(text)} and ${name(other)} overlap in \`${title}\``);
    }));
  }
  const width = document.documentElement;
  if (width.scrollWidth > width.clientWidth + 1) found.push(`the page is wider than its window: ${width.scrollWidth} > ${width.clientWidth}`);
  return found;
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
  const found = [];
  try {
    for (const [scheme, width, file] of [['light', 1280, out], ['dark', 1280, beside('.dark.png')], ['light', 480, beside('.narrow.png')]]) {
      const view = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } });
      const wrong = (words) => found.push(`${scheme}, ${width} wide: ${words}`);
      view.on('console', (message) => { if (['error', 'warning'].includes(message.type())) wrong(message.text()); });
      view.on('pageerror', (error) => wrong(String(error)));
      view.on('request', (request) => { if (!/^(file|data):/.test(request.url())) wrong(`asks for ${request.url()}`); });
      await view.goto(pathToFileURL(page).href, { waitUntil: 'load' });
      (await view.evaluate(faults)).forEach(wrong);
      await view.screenshot({ path: file, fullPage: true });
      if (scheme === 'light' && width === 1280) await view.pdf({ path: beside('.pdf'), format: 'A4' });
      await view.close();
    }
  } finally {
    await browser.close();
  }
  found.forEach((words) => console.error(`screenshot: ${words}`));
  console.log(`${page}: ${found.length === 0 ? 'nothing wrong' : `${found.length} faults`}; pictures in ${out}`);
  process.exitCode = found.length === 0 ? 0 : 1;
}

main().catch((error) => { console.error(`screenshot: ${error.stack || error}`); process.exitCode = 1; });
