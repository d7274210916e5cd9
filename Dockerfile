# The operator's image (default target), and the simulator's (--target simulator).
#
#   docker build --build-arg BASE_IMAGE=python:3.13-slim@sha256:… --tag ecs-operator:0.1.0 .
#
# BASE_IMAGE is any image with Python 3.11 or newer as `python3`, with its venv module; name it with its digest for a release.
# A private package index goes in as a secret, so that no layer keeps it: --secret id=pip,src=$HOME/.config/pip/pip.conf
ARG BASE_IMAGE=python:3.13-slim

# Every package comes from a lock file, by hash, and as a wheel: nothing is compiled. The environments hold no installer.
FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_REQUIRE_VIRTUALENV=1
WORKDIR /src
COPY requirements-build.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv /build && /build/bin/pip install --require-hashes --requirement requirements-build.lock

FROM build AS build-operator
COPY requirements-operator.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv --without-pip /opt/ecs-operator && \
    /build/bin/pip --python /opt/ecs-operator/bin/python install --require-hashes --requirement requirements-operator.lock
COPY LICENSE README.md pyproject.toml ./
COPY operator operator
RUN /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . && \
    /build/bin/pip --python /opt/ecs-operator/bin/python install --no-index --no-deps /wheels/ecs_operator-*.whl

FROM build AS build-simulator
COPY requirements-simulator.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv --without-pip /opt/ecs-simulator && \
    /build/bin/pip --python /opt/ecs-simulator/bin/python install --require-hashes --requirement requirements-simulator.lock
COPY simulator simulator
RUN /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels ./simulator && \
    /build/bin/pip --python /opt/ecs-simulator/bin/python install --no-index --no-deps /wheels/ecs_simulator-*.whl

# What both images share: nobody's user, no buffering, nothing written. The uid stands in no passwd file, and libraries ask for its name.
FROM ${BASE_IMAGE} AS runtime
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 USER=ecs HOME=/tmp
WORKDIR /
USER 65532:65532

FROM runtime AS simulator
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ecs-simulator" \
      org.opencontainers.image.description="A simulated Elastic Cloud Server API, for trying and testing without an account" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build-simulator /opt/ecs-simulator /opt/ecs-simulator
ENV PATH=/opt/ecs-simulator/bin:$PATH
EXPOSE 8774 8775
ENTRYPOINT ["/opt/ecs-simulator/bin/ecs-simulator"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8774", "--admin-port", "8775"]

FROM runtime AS operator
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ecs-operator" \
      org.opencontainers.image.description="Kubernetes operator that manages Elastic Cloud Servers as custom resources" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build-operator /opt/ecs-operator /opt/ecs-operator
ENV PATH=/opt/ecs-operator/bin:$PATH
EXPOSE 8080
ENTRYPOINT ["/opt/ecs-operator/bin/ecs-operator"]
CMD ["run"]
