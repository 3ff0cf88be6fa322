# syntax=docker/dockerfile:1
# The image of the workers: workers/, errand/ and schemas/, without the libraries of the API.
# Build it from the root of the repository: docker build --file deploy/workers.Dockerfile --tag errand-workers .

FROM python:3.11.14-slim-bookworm AS builder
WORKDIR /build
RUN python -m venv --without-pip /venv

# Libraries first, in their own layer, which is rebuilt only when a pin changes.
COPY pyproject.toml README.md ./
COPY config/constraints/workers.txt config/constraints/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --constraint config/constraints/workers.txt ".[workers]"

COPY schemas/ schemas/
COPY errand/ errand/
COPY workers/ workers/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --no-deps --force-reinstall .

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="errand-workers" \
      org.opencontainers.image.description="Errand: computes jobs, sends mails and webhooks, rescues stranded jobs" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin errand
COPY --from=builder /venv /venv
WORKDIR /srv
USER 10001:10001
CMD ["python", "-m", "workers", "compute"]
