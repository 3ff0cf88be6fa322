# syntax=docker/dockerfile:1
# The image of the API: api/, errand/ and schemas/, without the libraries of the workers.
# Build it from the root of the repository: docker build --file deploy/api.Dockerfile --tag errand-api .

FROM python:3.11.14-slim-bookworm AS builder
WORKDIR /build
RUN python -m venv --without-pip /venv

# Libraries first, in their own layer, which is rebuilt only when a pin changes.
COPY pyproject.toml README.md ./
COPY config/constraints/api.txt config/constraints/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --constraint config/constraints/api.txt ".[api]"

COPY schemas/ schemas/
COPY errand/ errand/
COPY api/ api/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --no-deps --force-reinstall .

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="errand-api" \
      org.opencontainers.image.description="Errand: accepts jobs over HTTP and reports on them" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin errand
COPY --from=builder /venv /venv
WORKDIR /srv
USER 10001:10001
EXPOSE 5000
CMD ["python", "-m", "api"]
