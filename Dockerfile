# The steps are the Makefile's: what runs here is what `make run` made.
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/mik
COPY Makefile pyproject.toml requirements.lock alembic.ini README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN make .venv/runtime

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /srv/mik mik && mkdir -p /data && chown mik /data && chmod 700 /data
WORKDIR /srv/mik
COPY --from=build /srv/mik /srv/mik
USER mik
ENV PATH=/srv/mik/.venv/bin:$PATH MIK_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=3)"]
CMD ["mik", "serve", "--host", "0.0.0.0"]
