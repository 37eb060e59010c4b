"""The manifest: the revision of this project's own checkout, or none."""

import json
import shutil
import subprocess

import pytest

from runners.run_folder import manifest
from tests.support.processes import ROOT


def git(folder, *arguments):
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.mark.process
def test_revision_is_that_of_the_checkout_and_says_whether_files_differ(tmp_path):
    git(tmp_path, "init")
    shutil.copy(ROOT / "runners/run_folder/manifest.py", tmp_path)
    assert manifest._revision(tmp_path) is None, "a checkout that does not know the file is another project's"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    revision = manifest._revision(tmp_path)
    assert len(revision.commit) == 40
    assert not revision.modified
    (tmp_path / "manifest.py").write_text("changed")
    assert manifest._revision(tmp_path) == manifest.Revision(revision.commit, modified=True)


@pytest.mark.process
def test_revision_is_none_outside_a_checkout_and_without_git(tmp_path, monkeypatch):
    assert manifest._revision(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert manifest._revision(ROOT / "runners") is None


@pytest.mark.process
def test_what_is_returned_is_what_is_written(tmp_path):
    path = tmp_path / "manifest.json"
    written = manifest.write_manifest(
        path, config={"sim": {"device": "cpu"}}, modality={}, reset_mode="per_env", overrides=["num_envs=4"]
    )
    assert manifest.read_manifest(path) == written
    assert json.loads(path.read_text())["overrides"] == written.overrides == ["num_envs=4"]
