# What runs here is what `make run` makes: the same lock, installed by the same steps (tests/install/test_image.py).
# The tag names one release of a Python that CI tests. It is rebuilt with Debian's fixes: pin what runs in production by
# its digest as well, --build-arg BASE=python:3.13.16-slim-bookworm@sha256:… (docs/production.md tells where to find it).
ARG BASE=python:3.13.16-slim-bookworm

FROM ${BASE} AS build
WORKDIR /srv/mik
COPY pyproject.toml requirements.lock alembic.ini README.md LICENSE ./
COPY app app
COPY clients clients
COPY migrations migrations
RUN python -m venv .venv
RUN .venv/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements.lock
RUN .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
RUN .venv/bin/python -m pip check

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /srv/mik mik && mkdir -p /data && chown mik /data && chmod 700 /data
WORKDIR /srv/mik
COPY --from=build /srv/mik /srv/mik
USER mik
# A container without settings names what it lacks and stops. To try it out: docker run -e MIK_PROFILE=demo …
ENV PATH=/srv/mik/.venv/bin:$PATH MIK_PROFILE=production MIK_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=3)"]
CMD ["mik", "serve", "--host", "0.0.0.0"]
