"""What leaves memory and disk, and when: against a model that is too simple to be wrong."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runtime.engine.blobs.file import BlobName
from runtime.engine.blobs.index import BlobIndex, Entry

RAM, DISK = 100, 230
which = st.integers(0, 5)


def entry_of(number: int, size: int, now: int = 0) -> Entry:
    name = BlobName("", 0, (number,))
    return Entry(name.key, name, size + 7, now)  # 7: what a file has besides


def key_of(number: int) -> str:
    return BlobName("", 0, (number,)).key


class Owner(RuleBasedStateMachine):
    """Does what the index decides with a folder of its own, in any order, with failing writes in between."""

    def __init__(self) -> None:
        super().__init__()
        self.index = BlobIndex(RAM, DISK)
        self.folder: dict[str, bytes] = {}
        self.wanted: dict[str, bytes] = {}  # put and not forgotten
        self.gone: set[str] = set()  # of those, reported lost

    @rule(number=which, size=st.integers(0, 130))
    def put(self, number: int, size: int) -> None:
        entry = entry_of(number, size)
        if self.index.get(entry.key) is None:
            self.wanted[entry.key] = bytes([number]) * size
            self.gone.discard(entry.key)
            self.index.add(entry, self.wanted[entry.key])

    @rule(number=which)
    def use(self, number: int) -> None:
        if entry := self.index.get(key_of(number)):
            self.index.use(entry, 0)
            assert list(self.index)[-1] is entry

    @rule(number=which)
    def forget(self, number: int) -> None:
        self.index.forget(key_of(number))
        self.wanted.pop(key_of(number), None)
        self.gone.discard(key_of(number))

    @rule(number=which)
    def find_broken(self, number: int) -> None:
        entry = self.index.get(key_of(number))
        if entry and entry.on_disk and self.index.data(entry) is None:
            self.index.lose(entry)

    @rule(newest=st.booleans())
    def begin(self, newest: bool) -> None:
        if self.index.writing or self.index.doomed:
            return
        if entry := self.index.pick(newest_first=newest):
            self.delete()
            assert self.index.pick(newest_first=newest) is entry
            self.index.begin(entry)
            assert self.index.disk_bytes + entry.file_bytes <= DISK

    @rule(good=st.booleans())
    def end(self, good: bool) -> None:
        if self.index.writing:
            entry, data = self.index.writing
            if good:
                self.folder[entry.key] = data
            self.index.end(written=good)

    @rule()
    def delete(self) -> None:
        for key in list(self.index.doomed):
            del self.folder[key]
            self.index.deleted(key)

    @invariant()
    def everything_put_is_held_as_it_was_or_reported_lost(self) -> None:
        self.gone.update(self.index.lost)
        self.index.lost.clear()
        assert {entry.key for entry in self.index} == set(self.wanted) - self.gone
        for entry in self.index:
            held = self.index.data(entry)
            held = self.folder[entry.key] if held is None else held
            assert held == self.wanted[entry.key]

    @invariant()
    def the_bounds_are_kept_and_the_sums_are_right(self) -> None:
        assert self.index.ram_bytes <= RAM
        assert self.index.disk_bytes == sum(len(data) + 7 for data in self.folder.values()) <= DISK
        _, held, on_disk = self.index.counts()
        assert held <= RAM + (len(self.index.writing[1]) if self.index.writing else 0)
        assert on_disk + len(self.index.doomed) == len(self.folder)


TestOwner = Owner.TestCase
TestOwner.settings = settings(max_examples=60, stateful_step_count=40)


def write_out(index: BlobIndex, *, newest_first: bool = False) -> list[int]:
    """Do all that the index wants done on disk; the numbers written, in that order."""
    order = []
    while entry := index.pick(newest_first=newest_first):
        for key in list(index.doomed):
            index.deleted(key)
        assert index.pick(newest_first=newest_first) is entry
        assert entry.name.tokens[0] not in order
        index.begin(entry)
        index.end(written=True)
        order.append(entry.name.tokens[0])
    return order


@given(st.lists(st.tuples(st.sampled_from(["put", "use"]), which, st.integers(0, 60))))
def test_memory_alone_is_least_recently_used(steps: list[tuple[str, int, int]]) -> None:
    index = BlobIndex(RAM, 0)
    model: dict[int, int] = {}
    for step, number, size in steps:
        if number in model:
            model[number] = model.pop(number)
        elif step == "put":
            model[number] = size
            while sum(model.values()) > RAM:
                del model[next(iter(model))]
        entry = index.get(key_of(number))
        if entry:
            index.use(entry, 0)
        elif step == "put":
            index.add(entry_of(number, size), b"x" * size)
        assert [entry.name.tokens[0] for entry in index] == list(model)


@given(
    st.lists(st.tuples(st.sampled_from(["put", "put", "use", "forget"]), which)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_most_recently_used_are_on_disk_and_never_lost(
    steps: list[tuple[str, int]], in_ram: int, on_disk: int, newest_first: bool
) -> None:
    """Of states of one size, written out after each step, the disk holds exactly those it has room for."""
    index = BlobIndex(in_ram * 10, on_disk * 17)
    model: list[int] = []  # kept, the most recently used last
    for step, number in steps:
        entry = index.get(key_of(number))
        if step == "forget":
            index.forget(key_of(number))
        elif entry:
            index.use(entry, 0)
        elif step == "put":
            index.add(entry_of(number, 10), b"0123456789")
        if number in model:
            model.remove(number)
        if step == "put" or (step == "use" and entry):
            model.append(number)
        for key in list(index.doomed):
            index.deleted(key)
        write_out(index, newest_first=newest_first)
        lost = {name.tokens[0] for name in index.lost.values()}
        assert not lost & set(model[-on_disk:])
        model = [number for number in model if number not in lost]
        index.lost.clear()
        assert [entry.name.tokens[0] for entry in index] == model
        assert [entry.name.tokens[0] for entry in index if entry.on_disk] == model[-on_disk:]


@given(st.lists(st.tuples(which, st.integers(0, 60), st.booleans())), st.booleans())
def test_writing_comes_to_an_end_whatever_the_sizes(steps: list[tuple[int, int, bool]], newest_first: bool) -> None:
    index = BlobIndex(RAM, DISK)
    for number, size, write in steps:
        entry = index.get(key_of(number))
        if entry:
            index.use(entry, 0)
        else:
            index.add(entry_of(number, size), b"x" * size)
        if write:
            write_out(index, newest_first=newest_first)  # asserts that nothing is written twice


def test_the_longest_unused_is_written_first_and_at_the_end_the_latest() -> None:
    for newest_first, order in [(False, [1, 2, 3]), (True, [3, 2, 1])]:
        index = BlobIndex(RAM, DISK)
        for number in (1, 2, 3):
            index.add(entry_of(number, 10), b"0123456789")
        assert write_out(index, newest_first=newest_first) == order


def test_what_is_on_disk_leaves_memory_before_what_is_not() -> None:
    index = BlobIndex(30, DISK)
    for number in (1, 2):
        index.add(entry_of(number, 10), b"0123456789")
    written = index.pick(newest_first=True)
    assert written is not None
    index.begin(written)
    index.end(written=True)
    index.add(entry_of(3, 20), b"x" * 20)
    assert index.data(written) is None
    assert not index.lost


def test_a_state_that_is_being_written_is_at_hand_though_memory_gave_it_up_and_lost_only_if_that_fails() -> None:
    for good in (True, False):
        index = BlobIndex(10, DISK)
        index.add(entry_of(1, 10), b"0123456789")
        entry = index.pick(newest_first=False)
        assert entry is not None
        index.begin(entry)
        index.add(entry_of(2, 10), b"9876543210")
        assert (index.data(entry), index.counts()[1]) == (b"0123456789", 20)
        index.end(written=good)
        assert (entry.key in index.lost) is not good


def test_a_state_too_large_for_memory_is_lost_at_once_and_pushes_nothing_out() -> None:
    index = BlobIndex(RAM, DISK)
    index.add(entry_of(1, 90), b"x" * 90)
    index.add(entry_of(2, RAM + 1), b"x" * (RAM + 1))
    assert [entry.name.tokens for entry in index] == [(1,)]
    assert list(index.lost) == [key_of(2)]


def test_a_state_that_came_anew_does_not_go_because_its_forerunner_was_unreadable() -> None:
    index = BlobIndex(RAM, DISK)
    former = entry_of(1, 10)
    index.add(former, b"0123456789")
    index.forget(former.key)
    index.add(entry_of(1, 10), b"0123456789")
    index.lose(former)
    assert (len(list(index)), index.lost) == (1, {})
