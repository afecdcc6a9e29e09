// Checks an AsyncAPI document with @asyncapi/parser: node scripts/asyncapi.js FILE
// References into other files are followed. Status 1 with each error or warning, one a line.
const fs = require('node:fs');
const path = require('node:path');
const { Parser } = require('@asyncapi/parser');

// Matters of taste: who to write to, tags, a newer version of the specification, and documents that run no servers.
const TASTE = new Set(['asyncapi-info-contact', 'asyncapi-3-tags', 'asyncapi-latest-version', 'asyncapi-id']);

async function main(file) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, 'utf8'), { source: path.resolve(file) });
  const found = diagnostics.filter((each) => each.severity <= 1 && !TASTE.has(each.code));
  for (const each of found) {
    console.log(`${file}:${each.range.start.line + 1}: ${each.code}: ${each.message} (${each.path.join('.')})`);
  }
  if (!document || found.length > 0) return 1;
  const topics = document.channels().all().map((channel) => channel.address());
  const empty = document.messages().all().filter((message) => !message.payload());
  for (const message of empty) console.log(`${file}: message ${message.id()} has no payload`);
  console.log(`${file}: valid AsyncAPI, ${topics.length} topics, ${document.messages().all().length} messages`);
  return empty.length > 0 ? 1 : 0;
}

main(process.argv[2]).then((status) => process.exit(status), (error) => {
  console.error(error);
  process.exit(1);
});
