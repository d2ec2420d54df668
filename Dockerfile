# One file, three images: `cpu` (the last, so the default), `gpu` and `train`.
#   docker build .                  server and workers on CPU, without torch
#   docker build --target gpu .     the same, with ONNX Runtime for CUDA and CUDA's own libraries
#   docker build --target train .   training and adaptation, with torch
# All run as a user without rights, on a root file system that may be read-only: what is written goes to
# /var/lib/orthoscape (the home: store, uploads, models, maps), /var/cache/orthoscape (staged copies), /tmp.

ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV LANG=C.UTF-8 \
    PATH=/opt/orthoscape/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1
# libexpat1: rasterio's wheel takes it from the system.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libexpat1 \
 && rm -rf /var/lib/apt/lists/*

# Dependencies change less often than code: they are installed from pyproject.toml alone, which is a
# distribution without packages, and the code comes afterwards.
FROM base AS building
WORKDIR /src
RUN python -m venv /opt/orthoscape
COPY pyproject.toml constraints.txt README.md LICENSE ./
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=/src/constraints.txt

FROM building AS code
COPY models models
COPY service service
COPY training training
RUN python -m pip wheel --no-deps --wheel-dir /wheels .

FROM building AS building-cpu
RUN python -m pip install '.[cpu]'
COPY --from=code /wheels /wheels
RUN python -m pip install --no-deps --force-reinstall /wheels/*.whl \
 && python -m pip uninstall --yes pip setuptools \
 && python -m compileall -q /opt/orthoscape/lib

# CUDA's libraries come as wheels, to where no loader looks: one folder of links is put on its path below.
FROM building AS building-gpu
RUN python -m pip install '.[gpu]' 'onnxruntime-gpu[cuda,cudnn]'
COPY --from=code /wheels /wheels
RUN python -m pip install --no-deps --force-reinstall /wheels/*.whl \
 && python -m pip uninstall --yes pip setuptools \
 && python -m compileall -q /opt/orthoscape/lib \
 && mkdir /opt/orthoscape/cuda \
 && find /opt/orthoscape/lib -path '*/nvidia/*/lib/*.so*' -exec ln --symbolic --target-directory=/opt/orthoscape/cuda {} +

FROM building AS building-train
RUN python -m pip install '.[cpu,train]'
COPY --from=code /wheels /wheels
RUN python -m pip install --no-deps --force-reinstall /wheels/*.whl \
 && python -m pip uninstall --yes pip setuptools \
 && python -m compileall -q /opt/orthoscape/lib

# The landscape that `make demo` maps, for the page's "Try an example"; generated, since no image lies in git.
FROM building AS example
RUN python -m pip install pillow rasterio scipy
COPY training training
RUN python -m training.data.orthophoto /example/example.tif

FROM base AS running
RUN useradd --uid 10001 --user-group --home-dir /var/lib/orthoscape --no-create-home --shell /usr/sbin/nologin orthoscape \
 && install --directory --owner=orthoscape --group=orthoscape /var/lib/orthoscape /var/cache/orthoscape
ENV ORTHOSCAPE_HOME=/var/lib/orthoscape \
    ORTHOSCAPE_STAGING=/var/cache/orthoscape \
    ORTHOSCAPE_EXAMPLE=/usr/share/orthoscape/example.tif \
    ORTHOSCAPE_HOST=0.0.0.0 \
    XDG_CACHE_HOME=/tmp
COPY --from=example /example/example.tif /usr/share/orthoscape/
WORKDIR /var/lib/orthoscape
USER 10001:10001
VOLUME ["/var/lib/orthoscape", "/var/cache/orthoscape"]
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["orthoscape"]

FROM running AS train
COPY --from=building-train /opt/orthoscape /opt/orthoscape
ENTRYPOINT ["orthoscape-train"]
CMD ["--help"]

FROM running AS gpu
COPY --from=building-gpu /opt/orthoscape /opt/orthoscape
# CUDA 13 asks for a driver of 580 or later on the host; it comes in with `--gpus all`.
ENV LD_LIBRARY_PATH=/opt/orthoscape/cuda ORTHOSCAPE_ENGINE=onnxruntime-cuda \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
CMD ["worker"]

FROM running AS cpu
COPY --from=building-cpu /opt/orthoscape /opt/orthoscape
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["serve"]
