# Serves a workspace mounted at /work, or a run in S3 (TASTEMAKER_MODELS=s3://bucket/prefix); docs/deploy.md.
#   docker build -t tastemaker .        with neural models: --build-arg ONNX=onnxruntime-node@1.30.0
FROM node:22-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY . .
RUN npm run build

FROM node:22-slim
ARG ONNX=""
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 TASTEMAKER_CACHE=/work/.cache
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && if [ -n "$ONNX" ]; then npm install --no-save --omit=dev "$ONNX"; fi && npm cache clean --force
COPY --from=build /src/dist ./dist
COPY recipes ./recipes
COPY replication ./replication
RUN mkdir /work && chown node:node /work && ln -s /app/dist/cli/main.js /usr/local/bin/tastemaker && chmod +x /app/dist/cli/main.js
USER node
WORKDIR /work
VOLUME /work
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
