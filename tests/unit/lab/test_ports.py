import random
import socket

import pytest

from ecs_lab.ports import ephemeral_start, free_ports


def _seeded() -> random.Random:
    return random.Random(7)  # noqa: S311 -- the same ports twice


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param("32768\t60999\n", 32_768, id="the kernel's default"),
        pytest.param("1024 65535", 1_024, id="a wide range"),
        pytest.param("", 32_768, id="nothing"),
        pytest.param("what", 32_768, id="no number"),
    ],
)
def test_start_of_the_range_of_outgoing_connections(text: str, start: int) -> None:
    assert ephemeral_start(text) == start


def test_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))


def test_a_port_somebody_listens_on_is_left_alone() -> None:
    (taken,) = free_ports(1, rng=_seeded())
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", taken))
        listener.listen()

        assert free_ports(1, rng=_seeded()) != (taken,)
