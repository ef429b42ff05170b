import type { ErrorCode } from '../contract/errors.ts';

/** What a disk, or the output, says, in words. */
const REASONS: Record<string, string> = {
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EIO: 'the disk or the terminal fails',
  EFBIG: 'the file would be too large',
  EACCES: 'this user may not do that',
  EPERM: 'this user may not do that',
};
/** Calls of files; others, such as `listen`, fail with some of the same codes. */
const OF_FILES =
  /^(write|writev|open|mkdir|mkdtemp|rename|copyfile|unlink|rm|symlink|chmod|chown|fsync|ftruncate)$/;

/** An error of a disk for people; `undefined`: it is another one. */
export function describeDiskError(
  error: unknown,
): { code: ErrorCode & 'disk.failed'; message: string } | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code = '', syscall = '', path } = error as Partial<NodeJS.ErrnoException>;
  const reason = REASONS[code];
  if (reason === undefined || !OF_FILES.test(syscall)) return undefined;
  const what = path === undefined ? 'The output' : path;
  return { code: 'disk.failed', message: `${what} cannot be written: ${reason} (${code}).` };
}
