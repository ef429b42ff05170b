/** Names of the variables that `read` asks an environment for. */
export function variablesRead(read: (env: Record<string, string>) => unknown): Set<string> {
  const names = new Set<string>();
  read(
    new Proxy<Record<string, string>>(
      {},
      {
        get: (_, name) => void names.add(String(name)),
        has: (_, name) => {
          names.add(String(name));
          return false;
        },
      },
    ),
  );
  return names;
}
