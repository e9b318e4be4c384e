# dyvine with everything that a server needs. The person's files, settings, logins and archive live in /data.
#   docker build -t dyvine .
#   docker run --rm -v /srv/dyvine:/data -e PUID=1000 -e PGID=1000 dyvine user LINK
FROM python:3.13-slim AS wheels
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY dyvine_cli ./dyvine_cli
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[notify,impersonate]'

FROM python:3.13-slim
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links=/wheels 'dyvine-cli[notify,impersonate]'
COPY --chmod=755 packaging/entrypoint.sh /usr/local/bin/entrypoint
ENV DYVINE_HOME=/data PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["entrypoint"]
CMD ["-q", "sync", "run", "--every", "6h"]
