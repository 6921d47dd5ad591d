import asyncio
from base64 import b64encode

import pytest
from websockets.exceptions import InvalidStatus

from reconciler.errors import UsageError
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import Connected, Disconnected
from reconciler.stations.credentials import Credentials, hash_password
from reconciler.stations.server import StationServer
from reconciler.stations.terms import House

PASSWORD = "correct-horse-battery"


def basic(user, password=PASSWORD):
    word = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": "Basic " + b64encode(user.encode() + b":" + word).decode()}


@pytest.fixture
def credentials(tmp_path):
    path = tmp_path / "auth"
    path.write_text(f"# stations\n\nQ3-001:{hash_password(PASSWORD)}\n")
    return Credentials.load(path)


async def refusal(place, path="Q3-001", **options):
    with pytest.raises(InvalidStatus) as caught:
        await place.connect(path, **options)
    return caught.value.response


@pytest.mark.parametrize("path", ["Q9-999", "", "a%2Fb", "%ff", "x" * 49, "with%20space", "Q3:001"])
async def test_an_unknown_identity_gets_404(place, path):
    await place.open()
    assert (await refusal(place, path)).status_code == 404
    assert place.events.all == []


async def test_whoever_comes_before_the_door_is_open_is_told_to_come_back(place):
    await place.open()
    place.server.is_open = lambda: False
    assert (await refusal(place)).status_code == 503
    place.server.is_open = lambda: True
    await place.connect()
    assert (await place.events.next(Connected)).station == "Q3-001"


async def test_the_identity_is_the_last_segment_decoded_once_and_echoed_as_spelt(place):
    await place.open(known={"q3-001@x"})
    await place.connect("tenant/q3-001%40X?token=5")
    assert (await place.events.next(Connected)).station == "q3-001@X"


async def test_the_right_password_opens_and_a_second_time_from_memory(place, credentials):
    await place.open(credentials=credentials)
    for _ in range(2):
        client = await place.connect(additional_headers=basic("Q3-001"))
        assert (await place.events.next(Connected)).station == "Q3-001"
        await client.socket.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("Q3-001", "wrong-password"),
        basic("Q3-001", b"\xff\xfe"),
        basic("Q3-002"),
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + b64encode(b"nocolon").decode()},
        {"Authorization": "Basic " + b64encode(b"\xff:x").decode()},
    ],
)
async def test_a_wrong_password_gets_401(place, credentials, headers):
    await place.open(credentials=credentials)
    for _ in range(2):
        response = await refusal(place, additional_headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")


async def test_two_authorization_headers_get_401(place, credentials):
    await place.open(credentials=credentials)
    headers = [*basic("Q3-001").items(), *basic("Q3-001").items()]
    assert (await refusal(place, additional_headers=headers)).status_code == 401


async def test_a_station_without_a_password_in_the_file_gets_401(place, credentials):
    await place.open(credentials=credentials)
    assert (await refusal(place, "Q3-002", additional_headers=basic("Q3-002"))).status_code == 401


async def test_a_password_may_change_while_the_server_runs(place, tmp_path):
    path = tmp_path / "auth"
    path.write_text(f"Q3-001:{hash_password('old-password-old')}\n")
    await place.open(credentials=Credentials.load(path))
    path.write_text(f"Q3-001:{hash_password('new-password-new!')}\n")
    assert (await refusal(place, additional_headers=basic("Q3-001", "old-password-old"))).status_code == 401
    await place.connect(additional_headers=basic("Q3-001", "new-password-new!"))
    path.write_text("half a li")
    await place.connect(additional_headers=basic("Q3-001", "new-password-new!"))
    path.unlink()
    await place.connect(additional_headers=basic("Q3-001", "new-password-new!"))


@pytest.mark.parametrize(
    "line",
    [
        "Q3-001",
        "Q3-001:plain-password",
        "Q3-001:md5$1$1$1$YQ==$YQ==",
        "Q3-001:scrypt$4096$8$1$!$!",
        "Q3-001:scrypt$1000000000$8$1$YQ==$" + b64encode(b"x" * 32).decode(),
        "Q3-001:scrypt$4096$8$1$YQ==$YQ==",
    ],
)
def test_a_line_that_is_no_hash_is_refused_with_its_number_and_without_its_content(tmp_path, line):
    path = tmp_path / "auth"
    path.write_text("# first\n" + line)
    with pytest.raises(UsageError, match="auth:2: not of the form") as caught:
        Credentials.load(path)
    assert "plain-password" not in str(caught.value)


def test_a_file_that_can_not_be_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match="can't be read"):
        Credentials.load(tmp_path / "none")
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(UsageError, match="larger than"):
        Credentials.load(big)


async def test_what_was_learnt_is_forgotten_in_the_end_and_learnt_again():
    records = Credentials({}, remembered=1)
    for word in (b"wrong-1", b"wrong-2", b"wrong-1"):
        assert not await records.verify("Q3-001", word)
    records.close()


async def test_without_passwords_only_loopback_is_served():
    for host in ("0.0.0.0", "192.0.2.1", "fleet.example"):
        server = StationServer(House(None, None), lambda _: True, host=host, port=0)
        with pytest.raises(UsageError, match="without passwords"):
            await server.start()
    named = StationServer(House(None, None), lambda _: True, host="localhost", port=0)
    assert named.address == ("localhost", 0)
    await named.start()
    await named.stop()


async def test_an_address_that_is_taken_is_said_so(place):
    await place.open()
    second = StationServer(place.server.house, lambda _: True, port=place.server.address[1])
    with pytest.raises(UsageError, match="can't be listened on"):
        await second.start()
    await second.stop()


async def test_the_first_protocol_of_the_station_that_is_spoken_here_is_chosen(place):
    await place.open()
    client = await place.connect(protocols=("ocpp1.6", "ocpp2.1", "ocpp2.0.1"))
    assert client.socket.subprotocol == "ocpp2.1"
    assert (await place.events.next(Connected)).protocol is Protocol.V21


@pytest.mark.parametrize("protocols", [("ocpp1.6",), ()])
async def test_without_a_common_protocol_the_handshake_is_completed_and_the_socket_closed(place, protocols):
    await place.open()
    client = await place.connect(protocols=protocols)
    assert client.socket.subprotocol is None
    assert await client.closed() == 1002
    assert place.events.all == []


async def test_compression_is_accepted_where_it_is_offered(place):
    await place.open()
    with_it = await place.connect(compression="deflate")
    assert with_it.socket.protocol.extensions
    assert (await with_it.boot())[0] == 3
    without = await place.connect("Q3-002", compression=None)
    assert not without.socket.protocol.extensions
    assert (await without.boot())[0] == 3


async def test_nothing_is_remembered_between_packed_messages(place):
    await place.open()
    station = await place.connect(compression="deflate")
    (extension,) = station.socket.protocol.extensions
    assert extension.remote_no_context_takeover
    assert [(await station.boot())[0] for _ in range(2)] == [3, 3]


async def test_a_station_that_comes_back_replaces_its_old_socket(place):
    await place.open()
    old = await place.connect()
    first = await place.events.next(Connected)
    new = await place.connect("q3-001")
    second = await place.events.next(Connected)
    assert await old.closed() == 1008
    assert (await new.boot())[0] == 3
    order = [(type(event), event.session) for event in place.events.all if isinstance(event, Connected | Disconnected)]
    assert order == [(Connected, first.session), (Disconnected, first.session), (Connected, second.session)]
    assert [view.identity for view in place.server.stations()] == ["q3-001"]


async def test_a_storm_of_connections_of_one_identity_leaves_one(place):
    await place.open()
    await asyncio.gather(*(place.connect() for _ in range(8)))
    survivor = await place.connect()
    assert (await survivor.boot())[0] == 3
    assert len(place.server.stations()) == 1
    gone = {event.session for event in place.events.of(Disconnected)}
    came = [event.session for event in place.events.of(Connected)]
    assert gone == set(came[:-1])


async def test_stopping_closes_every_socket_and_reports_it(place):
    await place.open()
    client = await place.connect()
    await place.events.next(Connected)
    await place.server.stop()
    assert place.events.of(Disconnected)
    assert await client.closed() == 1001
