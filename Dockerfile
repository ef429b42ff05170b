# A worker, or any other agent-once command: docker run IMAGE start support --key k --input hello
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: what they prepare is for the local stack.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
RUN node scripts/build.mjs

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production AGENT_ONCE_HEALTH_PORT=8081
# The CAs that everybody trusts: Node brings its own, Temporal's part of the worker reads the system's.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json ./
COPY bin bin
COPY --from=packages /app/node_modules node_modules
# No src beside it: the command runs what was built.
COPY --from=build /app/dist dist
# Commands for a person in a container: kubectl exec … agent-once doctor.
RUN ln -s /app/bin/agent-once.js /usr/local/bin/agent-once
# node, by number: Kubernetes cannot tell of a name that it is not root.
USER 1000:1000
# A worker's health, `serve` and `codec`, which need `--host 0.0.0.0` to be reached.
EXPOSE 8081 8088 8089
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "/app/bin/health-check.js"]
ENTRYPOINT ["node", "/app/bin/agent-once.js"]
CMD ["worker"]
