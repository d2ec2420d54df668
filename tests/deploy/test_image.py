"""What can be said of the image without building it."""

import re
import shlex
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.deploy.conftest import ROOT

TARGETS = {"cpu", "gpu", "train"}


@pytest.fixture(scope="session")
def stages(dockerfile):
    """Lines of each stage, with those of the stages that it starts from."""
    stages = {}
    for part in re.split(r"^FROM ", dockerfile.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        first, *lines = part.splitlines()
        origin, _, name = first.partition(" AS ")
        stages[name] = [
            *stages.get(origin, []),
            *(line for line in lines if line and not line.startswith("#")),
        ]
    return stages


def test_the_targets_that_compose_builds_are_there(stages, services):
    asked = {service["build"]["target"] for service in services.values() if "build" in service}
    assert asked <= TARGETS <= set(stages)
    assert list(stages)[-1] == "cpu"


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_images_run_as_nobody_in_particular_and_take_signals_themselves(stages, target):
    lines = stages[target]
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 10001:10001"
    entrypoint = [line for line in lines if line.startswith("ENTRYPOINT")][-1]
    assert entrypoint.startswith('ENTRYPOINT ["')
    assert not [line for line in lines if line.startswith(("CMD", "ENTRYPOINT")) and "[" not in line]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_images_carry_no_compiler_and_no_secrets(stages, target):
    text = "\n".join(stages[target])
    assert not re.search(r"\b(gcc|g\+\+|build-essential|clang|make)\b", text)
    assert not re.search(r"(?i)password|token|secret|api_key", text)
    assert text.count("apt-get install") == text.count("rm -rf /var/lib/apt/lists")


def test_health_is_asked_without_tools_that_a_slim_image_lacks(stages):
    check = next(line for line in stages["cpu"] if line.startswith("HEALTHCHECK"))
    assert "/healthz" in check
    assert not re.search("curl|wget", check)
    command = check[check.index("[") :]
    compile(eval(command)[2], "healthcheck", "exec")  # noqa: S307  our own text


def test_every_version_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert "PIP_CONSTRAINT=/src/constraints.txt" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_context_holds_what_is_copied_and_nothing_else(dockerfile):
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[:1] == "!"
    }
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, flags=re.MULTILINE):
        copied |= set(shlex.split(line)[:-1])
    assert copied == allowed


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_servers_and_workers_carry_the_example_where_their_setting_names_it(stages, target):
    text = "\n".join(stages[target])
    path = PurePosixPath(re.search(r"ORTHOSCAPE_EXAMPLE=(\S+)", text)[1])
    assert f"COPY --from=example /example/{path.name} {path.parent}/" in stages[target]
    assert f"RUN python -m training.data.orthophoto /example/{path.name}" in stages["example"]


def test_the_example_is_generated_with_what_its_stage_installs(stages):
    install = next(line for line in stages["example"] if "pip install" in line)
    installed = {"PIL" if name == "pillow" else name for name in install.split()[5:]}
    ours = {line.split()[1] for line in stages["example"] if line.startswith("COPY")} & {"models", "training"}
    code = (
        "import sys; old = set(sys.modules); import training.data.orthophoto; print(*set(sys.modules) - old)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = {name.split(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names)
    assert {name for name in imported if (ROOT / name).is_dir()} <= ours
    for name in ("pydantic", "torch", "onnxruntime"):
        assert name not in imported
    assert {"PIL", "rasterio", "scipy"} <= installed
