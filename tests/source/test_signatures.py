"""Signatures of commits: what git finds of them is told in words; what it means is for people and options to say."""

import shutil
import subprocess

import pytest

from reconciler.source.repository import GitSource
from reconciler.source.tree import _signature

SIGN = ("-c", "gpg.format=ssh")


@pytest.fixture
def key(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.fail("ssh-keygen is needed, which comes with ssh")
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def commit_signed(repository, key):
    repository.write({"b.yaml": "b: 1\n"})
    repository.git("add", "--all")
    repository.git(*SIGN, "-c", f"user.signingkey={key}", "commit", "--quiet", "-S", "--message", "Signed")


async def test_a_commit_without_a_signature_has_none(repository):
    assert (await GitSource(str(repository.path), "main").fetch()).signature == ""


async def test_a_good_signature_names_its_signer(repository, key, tmp_path):
    signers = tmp_path / "signers"
    signers.write_text(f"ann@example.org {key.with_suffix('.pub').read_text()}")
    repository.git("config", "gpg.ssh.allowedSignersFile", str(signers))
    commit_signed(repository, key)
    assert (await GitSource(str(repository.path), "main").fetch()).signature == "good: ann@example.org"


async def test_a_signature_of_somebody_unknown_is_not_called_good(repository, key, tmp_path):
    signers = tmp_path / "signers"
    signers.write_text("")
    repository.git("config", "gpg.ssh.allowedSignersFile", str(signers))
    commit_signed(repository, key)
    signature = (await GitSource(str(repository.path), "main").fetch()).signature
    assert signature
    assert signature != "good"
    assert not signature.startswith("good:")


@pytest.mark.parametrize(
    ("verdict", "signer", "words"),
    [
        ("N", "", ""),
        ("G", "Ann", "good: Ann"),
        ("B", "Ann", "bad: Ann"),
        ("E", "", "can't be checked"),
        ("?", "Ann", "can't be checked: Ann"),
    ],
)
def test_gits_letters_are_put_into_words(verdict, signer, words):
    assert _signature(verdict, signer) == words
