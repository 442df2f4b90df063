"""Many questions at once, their moments, and contract files that are not JSON as the standard says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.contract import PromptContract
from furytune.errors import ConfigError, ContractError, FurytuneError
from furytune.records import Passage
from furytune.template import PromptTemplate
from furytune.testing import strategies as fs
from furytune.testing.memory import MemoryAugmenter

DAY = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")
PASSAGES = [Passage(id=f"p{n}", text=f"how {n}", date=DAY + timedelta(days=n)) for n in range(4)]


@pytest.fixture(scope="module")
def contract() -> PromptContract:
    return PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(PASSAGES))


def outcome(work) -> object:
    try:
        return work()
    except FurytuneError as error:
        return type(error), str(error)


@given(st.lists(st.tuples(fs.texts(), fs.moments() | st.none()), max_size=6))
def test_many_questions_get_the_prompts_of_single_ones(asked) -> None:
    """A question that has no prompt gets the error that it would raise alone."""
    contract = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(PASSAGES))
    together = [
        (type(found), str(found)) if isinstance(found, FurytuneError) else found
        for found in contract.prompts([q for q, _ in asked], at=[at for _, at in asked])
    ]

    assert together == [outcome(lambda q=q, at=at: contract.prompt(q, at=at)) for q, at in asked]


@pytest.mark.parametrize(("questions", "moments"), [(["a"], []), ([], [DAY]), (["a", "b"], [DAY])])
def test_each_question_needs_one_moment(contract, questions, moments) -> None:
    with pytest.raises(ConfigError, match=rf"{len(questions)} questions and {len(moments)} moments"):
        contract.prompts(questions, at=moments)


@pytest.mark.parametrize("moment", [datetime(2024, 1, 1), "2024-01-01", 0])  # noqa: DTZ001
def test_a_moment_without_a_time_zone_is_refused(contract, moment) -> None:
    with pytest.raises(ConfigError, match="with a time zone"):
        contract.prompts(["how?"], at=[moment])
    with pytest.raises(ConfigError, match="with a time zone"):
        contract.prompt("how?", at=moment)


def test_the_moment_counts_and_not_the_time_zone_it_is_written_in(contract) -> None:
    from datetime import timezone

    at = DAY + timedelta(days=2)
    elsewhere = at.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert contract.prompt("how?", at=elsewhere) == contract.prompt("how?", at=at)
    assert [p.id for p in contract.prompt("how?", at=elsewhere).passages] == ["p0", "p1"]


class TestFiles:
    @pytest.fixture
    def file(self, contract, tmp_path):
        contract.save(tmp_path / "c.json")
        return tmp_path / "c.json"

    def refused(self, file) -> str:
        with pytest.raises(ContractError) as caught:
            PromptContract.load(file, augmenter=MemoryAugmenter(PASSAGES))
        return str(caught.value)

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
    def test_numbers_that_json_does_not_have_are_refused(self, file, constant):
        file.write_text(
            file.read_text().replace('"k":4', f'"k":{constant}').replace('"k": 4', f'"k": {constant}')
        )
        assert constant in file.read_text()
        assert str(file) in self.refused(file)

    def test_a_key_that_comes_twice_is_refused(self, file):
        """Other readers would take the first of the two values, or the last."""
        text = file.read_text()
        file.write_text(text.replace("{", '{"seal": "", ', 1))
        assert str(file) in self.refused(file)

    @pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{", b'"text"', b"[" * 99_999])
    def test_what_is_not_a_contract_is_refused(self, file, data):
        file.write_bytes(data)
        assert str(file) in self.refused(file)

    @pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
    def test_a_part_of_a_file_is_refused(self, file, cut):
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * cut)])
        assert str(file) in self.refused(file)

    @given(data=st.data())
    def test_a_file_with_one_other_byte_never_loads_another_contract(self, contract, tmp_path_factory, data):
        file = tmp_path_factory.mktemp("byte") / "c.json"
        contract.save(file)
        content = bytearray(file.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        try:
            loaded = PromptContract.load(file, augmenter=MemoryAugmenter(PASSAGES))
        except FurytuneError:
            return
        assert loaded == contract
        assert json.loads(file.read_bytes())["form"] == json.loads(json.dumps(contract.form))
