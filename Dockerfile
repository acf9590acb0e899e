# A node of a cluster: everything a sweep needs, at the versions of constraints.txt.
#
#   docker build -t interplay .                                   for NVIDIA GPUs: the public torch brings its CUDA
#   docker build -t interplay --build-arg TORCH_INDEX=ADDRESS .   another build of torch, such as the one for cores only,
#                                                                 from the address that PyTorch's own page names
#   docker run --shm-size=2g -v "$PWD/results:/results" interplay sweep run sweeps/quickstart.yaml --results /results
#
# Ray needs room in /dev/shm, hence --shm-size. All nodes use the same image, as launch/rayjob.yaml has it.
FROM python:3.11.14-slim-bookworm

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client rsync tini \
    && rm -rf /var/lib/apt/lists/*

ARG TORCH_INDEX
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

WORKDIR /opt/interplay
COPY constraints.txt ./
# torch first, from the index for the devices: it is the largest layer, and changes least.
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--index-url="${TORCH_INDEX}"} torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY sweeps sweeps
COPY analysis analysis
COPY orchestrator orchestrator
RUN pip install --constraint constraints.txt ".[train,s3,datasets]" \
    && python -c "import deepspeed, ray, torch" \
    && sweep --help

# Nobody trains as root; results are written to what is mounted.
RUN useradd --create-home --uid 1000 sweep
USER 1000
ENTRYPOINT ["tini", "--"]
CMD ["sweep", "--help"]
