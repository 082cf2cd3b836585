# The service: REST and web page. `docker compose up --build`, then http://127.0.0.1:8000
FROM python:3.11-slim-bookworm AS install
COPY requirements-caption.txt requirements-web.txt /tmp/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements-web.txt

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 captions \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin captions \
    && install --directory --owner=10001 --group=10001 /data /captioners
COPY --from=install /venv /venv
WORKDIR /app
COPY preprocess preprocess
COPY model model
COPY video video
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "video.server", "--host", "0.0.0.0", "--port", "8000", "--data", "/data"]
CMD ["--model", "/app/model/default.kcap"]
