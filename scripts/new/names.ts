import { parseSync } from '@swc/core';

/** One name, as each place wants it. */
export interface Names {
  /** `charge_card`: for the model and in Temporal. */
  name: string;
  /** `charge-card` */
  file: string;
  /** `chargeCard` */
  variable: string;
}

const NAME = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/;
/** In the files that are written. */
const USED =
  'z test expect pg path tx database server agents once url effects answer json afterAll beforeAll createRegistry createServer createTestContext createTestDatabase defineAgent defineTool migrateLedger readHttpUrl runTool';

/** @throws {RangeError} it cannot be one */
export function namesOf(given: string): Names {
  const name = given.replaceAll('-', '_');
  if (!NAME.test(given) || name.length > 32) {
    throw new RangeError(
      `"${given}" is no name: small letters and digits, with single dashes between words, at most 32 characters, such as charge-card.`,
    );
  }
  const variable = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  if (!isFree(variable)) {
    throw new RangeError(
      `"${given}" is a word of the language, or of what is written. Take two words, such as ${given}-order.`,
    );
  }
  return { name, file: name.replaceAll('_', '-'), variable };
}

function isFree(variable: string): boolean {
  if (variable in globalThis || USED.split(' ').includes(variable)) return false;
  try {
    parseSync(`export const ${variable} = 1;`, { syntax: 'typescript', target: 'es2022' });
    return true;
  } catch {
    return false;
  }
}

/** The variable that says where the other side is. */
export function variableOf({ name }: Names): string {
  return `${name.toUpperCase()}_URL`;
}
