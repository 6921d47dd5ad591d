"""What the command says of its database before anything listens."""


def options(yard, store):
    source = ("--source", str(yard.repository.folder), "--interval", "1s")
    return ("run", *source, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--store", str(store))


async def test_a_damaged_database_ends_the_start_with_its_name_and_what_to_do(yard, tmp_path):
    yard.repository.commit()
    damaged = tmp_path / ".git" / "damaged.db"
    damaged.write_bytes(b"no database at all" * 1000)
    code, _, said = await yard.run(*options(yard, damaged))
    assert code == 1
    assert str(damaged) in said
    assert "listening" not in said


async def test_a_second_controller_of_one_database_ends_at_once(yard, tmp_path):
    yard.repository.commit()
    shared = tmp_path / ".git" / "state" / "yard.db"
    first = await yard.spawn(*options(yard, shared))
    while b"listening" not in (said := await first.stderr.readline()):
        assert said, "it ended before it listened"
    code, _, said = await yard.run(*options(yard, shared))
    assert code == 1
    assert "another controller" in said


async def test_a_second_database_of_a_fleet_is_refused_with_both_files(yard, tmp_path):
    yard.repository.commit()
    folder = tmp_path / ".git" / "state" / "fleet-profile-reconciler"
    folder.mkdir(parents=True)
    known = folder / f"{tmp_path.name}-0123456789ab.db"
    known.write_bytes(b"kept by a controller" * 1000)
    code, _, said = await yard.run(*options(yard, "")[:-2])
    assert code == 64
    assert str(known) in said
    assert f"--store {folder}" in said
    assert list(folder.iterdir()) == [known]
