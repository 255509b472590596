// `npm run docs:settings`: writes .env.example and the settings table of the README from the schema.
import { readFileSync, writeFileSync } from 'node:fs';
import { envExample, settingsTable } from '../config/print.ts';

const ROOT = new URL('../../../', import.meta.url);
const readme = new URL('README.md', ROOT);
const between = /(?<=<!-- settings:begin -->)[\s\S]*(?=<!-- settings:end -->)/;

writeFileSync(new URL('.env.example', ROOT), envExample());
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(between, () => `\n\n${settingsTable().trim()}\n\n`),
);
