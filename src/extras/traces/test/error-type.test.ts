import { expect, test } from '@jest/globals';
import { AgentOnceError } from '../../../contract/errors.ts';
import { errorType } from '../attributes.ts';

/** As a tool throws it that copies what it was told into its error. */
const ofTool = (more: object) => Object.assign(new Error('refused'), more);

test('a span names an error by a code of ours or of the system, or by its class, and by nothing else', () => {
  const named: [error: unknown, name: string][] = [
    [new AgentOnceError('tool.failed', 'It failed.'), 'tool.failed'],
    [{ code: 'key.conflict' }, 'key.conflict'],
    [ofTool({ code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [ofTool({ code: 'ERR_INVALID_URL' }), 'ERR_INVALID_URL'],
    [new TypeError('no'), 'TypeError'],
    [Object.assign(new Error('late'), { name: 'TimeoutFailure' }), 'TimeoutFailure'],
    [ofTool({ code: 'sk_live_4eC39HqLyjWDarjtT1zdp7dc' }), '_OTHER'],
    [ofTool({ name: 'jane.doe' }), '_OTHER'],
    [ofTool({ type: 'secret' }), '_OTHER'],
    ['thrown', '_OTHER'],
    [null, '_OTHER'],
  ];
  expect(named.map(([error]) => errorType(error))).toEqual(named.map(([, name]) => name));
});
