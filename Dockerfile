# One image for web, workers, relay and simulator. `compose.yaml` shows how they fit together.
FROM node:22-bookworm-slim AS assets
WORKDIR /lune/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

FROM python:3.12-slim-bookworm
# GDAL, GEOS and PROJ: GeoDjango loads them.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgdal32 libgeos-c1v5 libproj25 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home lune
WORKDIR /lune
COPY config/requirements config/requirements
RUN pip install --no-cache-dir --require-hashes -r config/requirements/uv.txt \
    && uv pip sync --system --no-cache --require-hashes config/requirements/base.txt
COPY . .
COPY --from=assets /lune/frontend/static frontend/static
RUN python manage.py collectstatic --no-input --verbosity 0 \
    && mkdir -p var/media var/mail && chown -R lune: var
USER lune
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--no-proxy-headers", "--lifespan", "off"]
