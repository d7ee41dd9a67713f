# The service alone. Train elsewhere and mount the artifacts folder at /artifacts.
# Where several share a database or an object store: docker build --build-arg EXTRAS=[postgres,s3] .
FROM python:3.11-slim AS build
ARG EXTRAS=
WORKDIR /source
COPY constraints.txt .
RUN python -m venv /opt/recsvc \
    && /opt/recsvc/bin/pip install --no-cache-dir --constraint constraints.txt --upgrade pip setuptools
COPY pyproject.toml README.md LICENSE ./
COPY recsvc recsvc
COPY training training
RUN /opt/recsvc/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/recsvc/bin/pip install --no-cache-dir --constraint constraints.txt "$(echo /wheels/*.whl)${EXTRAS}"

FROM python:3.11-slim
# The system's OpenMP library, which numerical wheels link. Debian's security updates replace it: no version pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home recsvc \
    && install --directory --owner recsvc --group recsvc /artifacts
COPY --from=build /opt/recsvc /opt/recsvc
# Native threads off before anything is imported: requests already run side by side, one worker per core.
ENV PATH=/opt/recsvc/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    RECSVC_ARTIFACTS=/artifacts
USER 10001
WORKDIR /artifacts
VOLUME /artifacts
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["recsvc", "serve", "--bind", "0.0.0.0:8000"]
