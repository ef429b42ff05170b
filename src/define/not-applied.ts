/**
 * Thrown by an `at-most-once` tool that knows that nothing happened: the connection was refused,
 * the other side said no. The call may then run again; after any other error a person decides.
 */
export class NotApplied extends Error {
  override readonly name = 'NotApplied';
}
