"""Who may read a folder of Errand's data."""

import os
import stat

import pytest

from errand.process.private_folder import private_folder


def mode_of(folder):
    return stat.S_IMODE(folder.stat().st_mode)


@pytest.fixture(autouse=True)
def an_open_umask():
    """Give new files all rights that are asked for."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_folder_is_its_users_alone(tmp_path):
    folder = private_folder(tmp_path / "data" / "store")

    assert mode_of(folder) == 0o700


@pytest.mark.parametrize("wide", [0o755, 0o777, 0o750, 0o701])
def test_a_folder_that_others_could_read_is_closed_and_its_parent_is_left_alone(tmp_path, wide):
    folder = tmp_path / "store"
    folder.mkdir(mode=wide)
    tmp_path.chmod(0o755)

    private_folder(folder)

    assert mode_of(folder) == 0o700
    assert mode_of(tmp_path) == 0o755


def test_a_folder_of_another_user_is_not_touched(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    folder.mkdir(mode=0o770)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    private_folder(folder)

    assert mode_of(folder) == 0o770


def test_a_file_in_its_place_is_an_error(tmp_path):
    (tmp_path / "store").touch()

    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "store")
