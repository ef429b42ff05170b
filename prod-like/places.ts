/**
 * Where, on one machine without containers, the things are that a Compose file names by the names of
 * its services, by the ports of its containers and by paths in them.
 */
export interface Places {
  /** `postgres:5432` → `127.0.0.1:41234` */
  addresses: ReadonlyMap<string, string>;
  /** `/etc/temporal/schema` → a folder, or a file, of this machine. */
  files: ReadonlyMap<string, string>;
}

/** Variables of Temporal's image that hold the two halves of an address. */
const HALVES = [['POSTGRES_SEEDS', 'DB_PORT']] as const;

/**
 * The environment of a service as it is right here.
 *
 * @param services the names of all
 * @throws {RangeError} an address of a service that is nowhere here
 */
export function placeEnvironment(
  environment: Readonly<Record<string, string>>,
  services: Iterable<string>,
  places: Places,
): Record<string, string> {
  const address = new RegExp(`(?<![\\w.-])(?:${[...services].join('|')}):\\d+(?!\\w)`, 'g');
  const placed = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      placePath(
        value.replaceAll(address, (found) => placeAddress(found, places)),
        places,
      ),
    ]),
  );
  for (const [host, port] of HALVES) {
    if (environment[host] === undefined || environment[port] === undefined) continue;
    const there = placeAddress(`${environment[host]}:${environment[port]}`, places);
    [placed[host] = '', placed[port] = ''] = there.split(':');
  }
  return placed;
}

function placePath(text: string, { files }: Places): string {
  for (const [there, here] of files) {
    if (text === there || text.startsWith(`${there}/`)) return here + text.slice(there.length);
  }
  return text;
}

function placeAddress(address: string, { addresses }: Places): string {
  const found = addresses.get(address);
  if (found === undefined) {
    throw new RangeError(
      `docker-compose.yml names ${address}, and nothing is known to be there: ${[...addresses.keys()].join(', ')} are.`,
    );
  }
  return found;
}

/**
 * A program that calls another one with its own arguments, where a service's address and a path of its
 * container stand in them as they do in Compose: `--ep postgres -p 5432 -d /etc/temporal/schema/…`.
 *
 * @returns a shell script
 */
export function wrapSqlTool(tool: string, postgres: string, places: Places): string {
  const [host, port] = placeAddress(postgres, places).split(':');
  const [name, containerPort] = postgres.split(':');
  const folders = [...places.files].map(
    ([there, here]) => `    "-d ${there}/"*) word=${quote(here)}"\${word#${there}}" ;;\n`,
  );
  return `#!/bin/sh
before=
for word in "$@"; do
  shift
  case "$before $word" in
    "--ep ${name}") word=${host} ;;
    "-p ${containerPort}") word=${port} ;;
${folders.join('')}  esac
  set -- "$@" "$word"
  before=$word
done
exec ${quote(tool)} "$@"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
