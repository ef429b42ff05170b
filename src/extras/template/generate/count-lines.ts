import type { Size } from '../../upgrade/generate.ts';
import { isTest } from '../../../../scripts/import-graph.ts';

/** @param files text by path */
export function countLines(files: ReadonlyMap<string, string>): Size {
  const size = { files: files.size, source: 0, tests: 0, pages: 0 };
  for (const [file, text] of files) {
    const lines = text.split('\n').length - 1;
    if (file.endsWith('.md')) size.pages += lines;
    else if (!/\.(?:m?[jt]s|sql|lua)$/.test(file)) continue;
    else if (isTest(file)) size.tests += lines;
    else if (file.startsWith('src/')) size.source += lines;
  }
  return size;
}
