import { jest } from '@jest/globals';
import { TEST_NET_MS } from './nets.ts';

jest.setTimeout(TEST_NET_MS);
