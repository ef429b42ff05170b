import type { Client } from '@temporalio/client';
import { AgentOnceHttpClient } from '../src/extras/http-client/http-client.ts';
import type { Part } from './part.ts';
import type { System } from './start-system.ts';

/** Where everything is that a scenario asks. */
export interface Scene {
  system: System;
  temporal: Client;
  /** The shop's and the scripted model's URL. */
  shop: string;
  model: string;
  apiKey: string;
  tell: (line: string) => void;
}

/** A client of one of the services, which goes on while that is away. */
export function openHttpClient({ system, apiKey }: Scene, number: number): AgentOnceHttpClient {
  const baseUrl = system.services[number % system.services.length] ?? '';
  return new AgentOnceHttpClient({ baseUrl, apiKey, attempts: 30 });
}

/** @throws {RangeError} there is none of this name */
export function partOf({ parts }: System, name: string): Part {
  const part = parts.get(name);
  if (part === undefined)
    throw new RangeError(`There is no ${name}: ${[...parts.keys()].join(', ')}`);
  return part;
}
