import uuid

from receiver.ids import DeliveryIds


def test_an_id_is_a_uuid_of_version_7_with_the_clocks_millisecond() -> None:
    made = uuid.UUID(DeliveryIds(lambda: 1_700_000_000.123).new())
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, 1_700_000_000_123)


def test_ids_grow_within_a_millisecond_and_while_the_clock_stands_behind() -> None:
    times = iter([5.0] * 2000 + [4.0] * 2000 + [6.0] * 2000)
    ids = DeliveryIds(lambda: next(times))
    made = [ids.new() for _ in range(6000)]
    assert made == sorted(set(made))


def test_ids_grow_when_a_millisecond_runs_out_of_random_bits() -> None:
    ids = DeliveryIds(lambda: 5.0)
    before = ids.new()
    ids._random = (1 << 74) - 1
    after = ids.new()
    assert after > before
    assert uuid.UUID(after).int >> 80 == 5001
    assert uuid.UUID(after).version == 7
