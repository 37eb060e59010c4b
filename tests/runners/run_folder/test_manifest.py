"""The manifest: the revision of this project's own checkout, or none."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from groot_wrappers.protocol.offer import PolicyOffer
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


class TestPolicy:
    """What the manifest tells of who has played, and whether its noise was the episodes'."""

    SEEDED = PolicyOffer({"checkpoint": "toy", "revision": 3, "scale": 0.5, "compiled": True}, ("row_noise",))

    @pytest.fixture
    def write(self, tmp_path, monkeypatch):
        origin = manifest.Provenance(created=datetime(2026, 11, 25, tzinfo=UTC), command=["groot-play"])
        monkeypatch.setattr(manifest, "provenance", lambda device: origin)  # which asks git and the system

        def write(offer, earlier=None):
            made = manifest.write_manifest(
                tmp_path / "manifest.json",
                config={"sim": {"device": "cpu"}},
                modality={},
                reset_mode="per_env",
                offer=offer,
                earlier=earlier,
            )
            assert manifest.read_manifest(tmp_path / "manifest.json") == made
            return made

        return write

    def test_is_what_the_server_said(self, write):
        made = write(self.SEEDED)
        assert (made.policy, made.policy_randomness) == (self.SEEDED.identity, "per_episode")
        assert [type(value) for value in made.policy.values()] == [str, int, float, bool]

    @pytest.mark.parametrize("offer", [PolicyOffer(), PolicyOffer({"checkpoint": "toy"}, ("joined_batches",))], ids=str)
    def test_is_unseeded_unless_the_server_said_so(self, write, offer):
        assert write(offer).policy_randomness == "unseeded"

    def test_is_that_of_all_starts(self, write):
        unseeded = PolicyOffer(self.SEEDED.identity)
        for offers in ((self.SEEDED, unseeded), (unseeded, self.SEEDED), (self.SEEDED, unseeded, self.SEEDED)):
            made = None
            for offer in offers:
                made = write(offer, made)
            assert made.policy_randomness == "unseeded"
        assert write(self.SEEDED, write(self.SEEDED)).policy_randomness == "per_episode"
