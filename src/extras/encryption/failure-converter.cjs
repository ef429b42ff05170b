// Temporal's library requires it by its path.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Messages and stacks of failures as payloads, which the codec encrypts. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
