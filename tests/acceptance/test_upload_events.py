"""What happens to an upload, as a stream that can be taken up again anywhere, and as a list for who cannot stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.answers import answer
from tests.service import Client, Service

GML = answer().encode()


@dataclass
class Told:
    number: int = 0
    kind: str = ""
    data: str = ""
    comments: list[str] = field(default_factory=list)


def events(client: Client, address: str, **headers: str) -> Iterator[Told]:
    given = {"Accept": "text/event-stream"} | {k.replace("_", "-"): v for k, v in headers.items()}
    with client.http.stream("GET", f"{address}/events", headers=given) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        told = Told()
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if not line:
                if told.number:
                    yield told
                told = Told()
            elif name == "id":
                told.number = int(value)
            elif name == "event":
                told.kind = value
            elif name == "data":
                told.data = value


@pytest.fixture
def client(worked: Service) -> Client:
    return worked.program()


def states(client: Client, address: str, after: int = 0) -> list[str]:
    found = client.http.get(f"{address}/events?after={after}").json()["events"]
    return [one["state"] for one in found if one["kind"] == "state"]


def test_events_come_in_order_until_the_end(client: Client) -> None:
    announced = client.announce(GML, auto_approve=True)
    address = announced.headers["Location"]
    stream = events(client, address)
    seen = [next(stream)]
    client.part(address, GML, 0, complete=True)
    seen += list(stream)
    assert [one.number for one in seen] == list(range(1, len(seen) + 1))
    wanted = ["receiving", "received", "checking", "approved", "publishing", "published"]
    assert states(client, address) == wanted
    assert [one.kind for one in seen].count("state") == len(wanted)
    assert '"published"' in seen[-1].data


def test_a_stream_goes_on_after_the_last_event_that_was_seen(client: Client) -> None:
    address = client.upload(GML, auto_approve=True)
    client.wait(address, "published")
    everything = [one.number for one in events(client, address)]
    for last in (0, 1, everything[-2], everything[-1]):
        rest = [one.number for one in events(client, address, Last_Event_ID=str(last))]
        assert rest == [number for number in everything if number > last]


def test_who_cannot_stream_asks_for_the_list(client: Client) -> None:
    address = client.announce(GML).headers["Location"]
    listed = client.http.get(f"{address}/events").json()["events"]
    assert [one["number"] for one in listed] == [1]
    assert client.http.get(f"{address}/events?after=1").json() == {"events": []}
    assert client.http.get(f"{address}/events?after=-1").status_code == 400
    assert client.http.get(f"{address}/events", headers={"Accept": "image/png"}).status_code == 406


def test_many_listeners_do_not_stop_the_service(worked: Service) -> None:
    client = worked.program()
    address = client.announce(GML).headers["Location"]
    streams = [events(client, address) for _ in range(30)]
    assert all(next(stream).number == 1 for stream in streams)
    assert client.state(address) == "receiving"
    for stream in streams:
        stream.close()  # type: ignore[attr-defined] # a generator
