// Whether what runs in this container is well: a worker answers on its health port, `agent-once serve`
// and `agent-once codec` on their own. The ports can be given as arguments.
const given = process.argv.slice(2);
const ports =
  given.length > 0 ? given : [process.env.AGENT_ONCE_HEALTH_PORT ?? '8081', '8088', '8089'];

const statuses = await Promise.all(
  ports.map((port) =>
    fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ status }) => status,
      // Nobody listens there: it is another command. Who listens and does not answer is not well.
      ({ cause }) => (cause?.code === 'ECONNREFUSED' ? undefined : 0),
    ),
  ),
);
const told = statuses.filter((status) => status !== undefined);
process.exitCode = told.length > 0 && told.every((status) => status === 200) ? 0 : 1;
