import { AgentOnceError } from './contract/errors.ts';
import { splitUrl } from './contract/url-parts.ts';

/**
 * Readers of single environment variables, for settings of the engine, of extras and of the app.
 * Each one throws `config.invalid`, which names the variable and never its value.
 */
type Env = NodeJS.ProcessEnv;

/** `undefined`: not set, or empty. */
export function readText(name: string, env: Env = process.env): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** Without a user and password: a password would be shown with links, and `fetch` would repeat it in an error. */
export function readHttpUrl(name: string, env: Env = process.env): string | undefined {
  const value = readText(name, env);
  if (value === undefined) return undefined;
  const parts = splitUrl(value);
  if (!parts || !/^https?$/.test(parts.scheme) || !URL.canParse(value)) {
    throw invalidSetting(name, 'is no http or https URL');
  }
  if (parts.user !== undefined) throw invalidSetting(name, 'has a user name or password in it');
  return value;
}

/** An address without anything behind its host and port, and without a slash at its end. */
export function readOrigin(name: string, env: Env = process.env): string | undefined {
  const value = readHttpUrl(name, env);
  if (value === undefined) return undefined;
  const { origin, pathname, search, hash } = new URL(value);
  if (pathname + search + hash === '/') return origin;
  throw invalidSetting(
    name,
    'has a path behind its host: the service has its pages at /app, so it needs a host or port of its own',
  );
}

/** `on`, `true`, `yes`, `1`, or `off`, `false`, `no`, `0`. */
export function readFlag(name: string, preset: boolean, env: Env = process.env): boolean {
  const value = readText(name, env)?.toLowerCase();
  if (value === undefined) return preset;
  if (['1', 'true', 'on', 'yes'].includes(value)) return true;
  if (['0', 'false', 'off', 'no'].includes(value)) return false;
  throw invalidSetting(name, 'is neither on nor off');
}

/** One of the values, letter for letter; `undefined`: not set. */
export function readOneOf<T extends string>(
  name: string,
  values: readonly T[],
  env: Env = process.env,
): T | undefined {
  const value = readText(name, env);
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw invalidSetting(name, `is none of ${values.join(', ')}`);
  return found;
}

export function readPort(name: string, env: Env = process.env): number | undefined {
  const value = readText(name, env);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw invalidSetting(name, 'is no port');
  }
  return number;
}

/** A whole number from 1. */
export function readCount(name: string, preset: number, env: Env = process.env): number {
  const value = readText(name, env);
  if (value === undefined) return preset;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw invalidSetting(name, 'is no whole number from 1');
  return Number(value);
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `30m`, `6h` …; `undefined` for `off`. */
export function readInterval(
  name: string,
  preset: string,
  env: Env = process.env,
): number | undefined {
  const value = (readText(name, env) ?? preset).toLowerCase();
  if (['0', 'false', 'off', 'no'].includes(value)) return undefined;
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(value) ?? [];
  if (count === undefined) {
    throw invalidSetting(name, 'is neither off nor an interval such as 30m or 6h');
  }
  return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

export function invalidSetting(name: string, problem: string): AgentOnceError {
  return new AgentOnceError('config.invalid', `${name} ${problem}. See docs/configuration.md.`);
}
