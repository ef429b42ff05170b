import { DefaultFailureConverter } from '@temporalio/common';

/** Set before the bundle's code, by an extra that encrypts payloads. */
const { encodeFailures } = globalThis as { encodeFailures?: boolean };

/** Temporal's own; with the mark, messages and stacks of failures are payloads, which codecs see. */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: encodeFailures === true,
});
