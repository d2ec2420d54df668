import os
import socket

import pytest

from service.embedded.places import (
    MAX_SOCKET_BYTES,
    HomeInUse,
    RunFolderUnsafe,
    held_home,
    name_of,
    socket_of,
)


def test_a_socket_is_short_wherever_files_go(tmp_path):
    base = tmp_path / ("deep" * 20) / ("deeper" * 20)
    base.mkdir(parents=True)
    for folder in (tmp_path, base):
        path = socket_of(tmp_path / "home", base=folder)
        assert len(os.fsencode(path)) <= MAX_SOCKET_BYTES
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        path.unlink()
    path.parent.rmdir()


def test_each_home_has_a_socket_and_a_name(tmp_path):
    one, other = (socket_of(tmp_path / name, base=tmp_path) for name in ("one", "other"))
    assert one != other
    assert one == socket_of(tmp_path / "one", base=tmp_path)
    assert name_of(tmp_path / "one") != name_of(tmp_path / "other")


def test_a_folder_that_others_can_use_is_refused(tmp_path):
    socket_of(tmp_path / "home", base=tmp_path).parent.chmod(0o777)
    with pytest.raises(RunFolderUnsafe):
        socket_of(tmp_path / "home", base=tmp_path)


def test_there_is_one_house_to_a_home(tmp_path):
    with held_home(tmp_path / "home"), pytest.raises(HomeInUse), held_home(tmp_path / "home"):
        pass
    with held_home(tmp_path / "home"):
        pass
