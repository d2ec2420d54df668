"""The compose file keeps to its schema, to the program's own words, and to its promises."""

import json
import os
import re
import shutil
import subprocess
from importlib import resources

import click
import jsonschema
import pytest

from service.access.door import check_door
from service.access.errors import DoorRefused
from service.api.app import create_app
from service.cli import main
from service.settings import Settings
from tests.deploy.conftest import ROOT, interpolated
from tests.needs import lacking

OURS = ("api", "tiles", "worker", "worker-gpu")
SHORT_LIVED = {"secrets", "train"}


def test_the_file_keeps_to_the_schema_of_compose(compose):
    schemas = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(compose, schema)


def test_only_the_proxy_is_reached_and_from_this_machine_alone(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"proxy": ["127.0.0.1:8000:8080"]}


def test_the_database_and_the_broker_reach_nobody(services, compose):
    assert compose["networks"]["back"]["internal"] is True
    for name in ("postgres", "redis", "worker"):
        assert services[name]["networks"] == ["back"], name


def test_nobody_has_more_rights_than_needed(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert not service.get("user", "").startswith(("root", "0")) or name == "secrets", name


def test_everything_that_lasts_is_bounded_watched_and_started_again(services):
    for name, service in services.items():
        if name in SHORT_LIVED:
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["depends_on"], name
        if name not in ("api", "tiles"):  # the image watches these
            assert "healthcheck" in service, name


def test_whoever_is_waited_for_can_be_seen_to_be_there(services, dockerfile):
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other] or "HEALTHCHECK" in dockerfile, (name, other)
            else:
                assert services[other]["restart"] == "no", (name, other)


def test_volumes_networks_and_configs_are_declared(services, compose):
    for name, service in services.items():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"], (name, volume)
        assert set(service.get("networks", ())) <= set(compose["networks"]), name
        assert {config["source"] for config in service.get("configs", ())} <= set(compose["configs"]), name


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_and_has_a_good_value(services, name, monkeypatch):
    for variable in os.environ:
        if variable.startswith("ORTHOSCAPE_"):
            monkeypatch.delenv(variable)
    for variable, value in services[name]["environment"].items():
        if variable.startswith("ORTHOSCAPE_"):
            assert variable.removeprefix("ORTHOSCAPE_").lower() in Settings.model_fields, variable
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    defaults = Settings.model_construct()
    for knob in ("lease_s", "block_timeout_s", "max_attempts", "gdal_cache_bytes", "reader_memory_bytes",
                 "reader_timeout_s", "staging_max_bytes", "max_scene_px", "upload_max_bytes"):  # fmt: skip
        assert getattr(settings, knob) == getattr(defaults, knob), knob


@pytest.mark.parametrize("listen", ["", "0.0.0.0", "192.168.1.10"])  # noqa: S104
def test_a_port_that_others_reach_asks_for_keys(raw_compose, listen, monkeypatch):
    services = interpolated(raw_compose, {"ORTHOSCAPE_LISTEN": listen})["services"]
    for variable, value in services["api"]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    monkeypatch.setenv("ORTHOSCAPE_HOST", "0.0.0.0")  # noqa: S104  as in the image
    assert services["proxy"]["ports"] == [f"{listen or '127.0.0.1'}:8000:8080"]
    if listen:
        with pytest.raises(DoorRefused):
            check_door(Settings(), has_keys=False)
    else:
        check_door(Settings(), has_keys=False)


def _command(group, name):
    return group.get_command(click.Context(group), name)


@pytest.mark.parametrize("name", OURS)
def test_commands_can_be_called(services, name):
    command, *arguments = services[name]["command"]
    _command(main, command).make_context(command, arguments)


def test_commands_in_its_comments_can_be_called():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    group, *arguments = re.search(r"run --rm api (keys .*?)  ", text)[1].split()
    _command(_command(main, group), arguments[0]).make_context(arguments[0], arguments[1:])


def test_no_password_stands_in_the_file(raw_compose):
    text = json.dumps(raw_compose)
    assert "POSTGRES_PASSWORD_FILE" in text
    assert not re.search(r"POSTGRES_PASSWORD[^_]|requirepass (?!%s)\w", text.replace("^requirepass //p", ""))


def _make_secrets(services, folder):
    script = (
        services["secrets"]["command"][0]
        .replace("/secrets", str(folder))
        .replace("chgrp 10001", "ls >/dev/null")
    )
    subprocess.run(["sh", "-euc", script], check=True, cwd=folder)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_passwords_are_made_once_at_random_and_are_settings(services, tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first = _make_secrets(services, one)
    assert _make_secrets(services, one) == first
    assert not set(first.values()) & set(_make_secrets(services, other).values())
    assert all((one / name).stat().st_mode & 0o007 == 0 for name in first)
    monkeypatch.setattr("service.settings.SECRETS_FOLDER", one)
    settings = Settings()
    assert settings.store_url == f"postgresql://orthoscape:{first['postgres_password']}@postgres/orthoscape"
    password = re.search(r"^requirepass (\S{32})$", first["redis.conf"], flags=re.MULTILINE)[1]
    assert settings.broker_url == f"redis://:{password}@redis:6379/0"


def test_nginx_takes_its_configuration(compose, tmp_path):
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        lacking("nginx", "apt install nginx-light")
    text = compose["configs"]["nginx"]["content"]
    for name in ("api", "tiles"):  # names of containers, which nginx looks up
        text = text.replace(f"server {name}:8000", "server 127.0.0.1:8000")
    path = tmp_path / "nginx.conf"
    path.write_text(text.replace("/tmp/", f"{tmp_path}/"), encoding="utf-8")  # noqa: S108
    done = subprocess.run(
        [nginx, "-t", "-c", path, "-p", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "$request " not in text
    assert "$args" not in text


@pytest.mark.slow
def test_the_proxy_asks_whom_answers(compose, tmp_path):
    text = compose["configs"]["nginx"]["content"]
    to_tiles = re.search(r"location ~ (\S+) \{ proxy_pass http://tiles", text)[1]
    settings = Settings(home=tmp_path)
    paths = {role: set(create_app(settings, role=role).openapi()["paths"]) for role in ("api", "tiles")}
    for path in paths["api"] | paths["tiles"]:
        role = "tiles" if re.search(to_tiles, path) else "api"
        assert path in paths[role], (path, role)
