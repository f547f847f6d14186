# Production image: web, worker, beat and migrate are the same image with different commands (see docker-compose.yml).
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/uv.txt requirements/base.txt /tmp/requirements/
RUN pip install --require-hashes -r /tmp/requirements/uv.txt \
    && uv pip install --python /opt/venv/bin/python --compile-bytecode --require-hashes -r /tmp/requirements/base.txt
WORKDIR /app
COPY . .
# Nothing is connected to: the addresses only keep the embedded servers, which are not in this image, from being looked for.
RUN DEBUG=1 STATIC_MANIFEST=1 DATABASE_URL=postgresql://build/build REDIS_URL=redis://build/0 \
    /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin lendconsole
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER lendconsole
EXPOSE 8000
# No --preload: each worker opens its own pool of database connections. Heartbeats in memory: /tmp may be on disk.
CMD ["gunicorn", "lendconsole.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--graceful-timeout", "25", "--no-control-socket", \
     "--max-requests", "10000", "--max-requests-jitter", "1000"]
