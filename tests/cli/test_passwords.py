import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.stations.credentials import Credentials

PASSWORD = "correct-horse-battery"


def hashed(identity, password):
    return CliRunner().invoke(app, ["hash-password", identity], input=password)


async def test_the_line_is_one_that_the_auth_file_takes(tmp_path):
    line = hashed("Q3-001", f"{PASSWORD}\n")
    assert (line.exit_code, line.stdout.count("\n")) == (0, 1)
    assert PASSWORD not in line.stdout
    path = tmp_path / "auth"
    path.write_text(line.stdout)
    credentials = Credentials.load(path)
    assert await credentials.verify("Q3-001", PASSWORD.encode())
    assert not await credentials.verify("Q3-001", b"another-password")
    credentials.close()


@pytest.mark.parametrize(
    ("identity", "password"), [("Q3-001", "short"), ("Q3-001", "x" * 65), ("Q3:001", PASSWORD), (" ", PASSWORD)]
)
def test_what_no_station_could_use_is_refused(identity, password):
    ended = hashed(identity, password)
    assert (ended.exit_code, ended.stdout) == (64, "")
    assert password not in ended.stderr
