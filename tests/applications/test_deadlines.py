"""Age and deadlines from timestamps alone. The calendar of the examples has weekends and no holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.applications.application_deadlines import load_deadline_steps
from app.applications.deadline_calculator import (
    ApplicationTimes,
    ClockState,
    CountingMode,
    DeadlineStep,
    claim_due_at,
    compute_timing,
    end_of_day,
    latest_start_not_overdue,
    objections_until,
    parse_steps,
)
from app.applications.workflow import EDITABLE_STATES, OPEN_STATES, State
from app.core.dates import baku_day
from app.reference.working_days import Calendar

pytestmark = pytest.mark.pure

WEEK = Calendar()
DECISION = DeadlineStep("decision", frozenset({State.IN_REVIEW}), 30, CountingMode.STAFF_TIME, lapses=False)
ANSWER = DeadlineStep("answer", frozenset({State.INFORMATION_REQUESTED}), 10, CountingMode.STATE_TIME, lapses=True)


def at(text):
    """`11-23 09:00`, time of Baku, of the year 2026 (`2027-01-04 09:00` of another)."""
    day, clock = text.split()
    day = day if len(day) > 5 else f"2026-{day}"
    return datetime.fromisoformat(f"{day}T{clock}+04:00").astimezone(UTC)


def due_day(found):
    return baku_day(found.due_at - timedelta(seconds=1)).isoformat()


def test_the_clock_of_the_house_runs_from_submission():
    """Submitted on Monday; that day is not counted, the fifth working day is the Monday after."""
    times = ApplicationTimes(State.IN_REVIEW, at("11-24 09:00"), at("11-23 09:00"))
    found = compute_timing(times, [DECISION], WEEK, at("11-30 18:00"))
    assert (found.clock, found.age_working_days, found.step, found.overdue) == (
        ClockState.RUNNING,
        5,
        "decision",
        False,
    )
    assert due_day(found) == "2027-01-04"  # six weeks


def test_it_stands_still_while_the_applicant_has_the_question():
    asked, answered = at("11-25 17:00"), at("12-09 09:00")
    waiting = ApplicationTimes(State.INFORMATION_REQUESTED, asked, at("11-23 09:00"), ((asked, None),))
    for now in (asked, at("12-01 12:00"), at("12-09 08:00")):
        found = compute_timing(waiting, [DECISION, ANSWER], WEEK, now)
        assert (found.clock, found.age_working_days, found.step) == (ClockState.STOPPED, 2, "answer")
        assert due_day(found) == "2026-12-09"
    resumed = ApplicationTimes(State.IN_REVIEW, answered, at("11-23 09:00"), ((asked, answered),))
    found = compute_timing(resumed, [DECISION, ANSWER], WEEK, at("12-10 10:00"))
    assert (found.clock, found.age_working_days, found.step) == (ClockState.RUNNING, 3, "decision")
    assert due_day(found) == "2027-01-18"  # the ten working days of the question later


def test_a_deadline_that_passed_before_the_question_stays_passed():
    asked, answered = at("2027-01-06 09:00"), at("2027-01-20 09:00")
    late = ApplicationTimes(State.IN_REVIEW, answered, at("11-23 09:00"), ((asked, answered),))
    found = compute_timing(late, [DECISION], WEEK, at("2027-01-20 10:00"))
    assert found.overdue
    assert due_day(found) == "2027-01-04"


def test_a_day_ends_in_baku():
    times = ApplicationTimes(
        State.INFORMATION_REQUESTED, at("11-23 23:59"), at("11-20 09:00"), ((at("11-23 23:59"), None),)
    )
    last = datetime(2026, 12, 7, 19, 59, 59, 999_999, tzinfo=UTC)
    assert not compute_timing(times, [ANSWER], WEEK, last).overdue
    over = compute_timing(times, [ANSWER], WEEK, last + timedelta(microseconds=1))
    assert over.overdue and over.lapses
    assert over.due_at == datetime(2026, 12, 7, 20, 0, tzinfo=UTC) == end_of_day(date(2026, 12, 7))


def test_a_claim_is_due_after_five_working_days_and_objections_end_after_ten_days():
    made = datetime(2026, 11, 27, 21, 0, tzinfo=UTC)  # the 28th in Baku, a Saturday
    assert claim_due_at(made, Calendar()) == end_of_day(date(2026, 12, 4))
    assert objections_until(made) == end_of_day(date(2026, 12, 8))


def test_a_step_that_does_not_lapse_is_only_late():
    found = compute_timing(
        ApplicationTimes(State.IN_REVIEW, at("06-01 09:00"), at("06-01 09:00")), [DECISION], WEEK, at("11-30 09:00")
    )
    assert found.overdue and not found.lapses


def test_a_draft_has_no_age_and_what_is_over_has_no_deadline():
    draft = compute_timing(
        ApplicationTimes(State.DRAFT, at("11-23 09:00")), load_deadline_steps(), WEEK, at("11-24 09:00")
    )
    assert (draft.clock, draft.age_working_days, draft.step) == (ClockState.STOPPED, None, "draft")
    approved = ApplicationTimes(State.APPROVED, at("12-01 09:00"), at("11-23 09:00"))
    over = compute_timing(approved, load_deadline_steps(), WEEK, at("2027-05-01 09:00"))
    assert (over.clock, over.age_working_days, over.due_at, over.overdue) == (ClockState.STOPPED, 6, None, False)


def test_what_ended_while_the_applicant_was_asked_aged_no_further():
    asked = at("11-25 09:00")
    lapsed = ApplicationTimes(State.LAPSED, at("12-20 09:00"), at("11-23 09:00"), ((asked, None),))
    assert compute_timing(lapsed, load_deadline_steps(), WEEK, at("2027-05-01 09:00")).age_working_days == 2


def test_questions_that_nobody_answered_stop_the_clock_at_the_first():
    times = ApplicationTimes(
        State.LAPSED, at("12-20 09:00"), at("11-23 09:00"), ((at("11-25 09:00"), None), (at("11-27 09:00"), None))
    )
    assert compute_timing(times, load_deadline_steps(), WEEK, at("2027-05-01 09:00")).age_working_days == 2


def test_the_house_without_a_submission_has_nothing_to_count():
    found = compute_timing(ApplicationTimes(State.IN_REVIEW, at("11-23 09:00")), [DECISION], WEEK, at("11-24 09:00"))
    assert (found.age_working_days, found.due_at) == (None, None)


def test_the_earliest_deadline_speaks():
    times = ApplicationTimes(State.SUBMITTED, at("11-23 09:00"), at("11-23 09:00"))
    found = compute_timing(times, load_deadline_steps(), WEEK, at("11-24 09:00"))
    assert found.step == "first-look"
    assert due_day(found) == "2026-11-30"


def test_the_shipped_steps():
    by_name = {step.name: step for step in load_deadline_steps()}
    assert {name: step.working_days for name, step in by_name.items()} == {
        "draft": 60,
        "first-look": 5,
        "answer": 10,
        "decision": 30,
    }
    # Every open state has a deadline, and only the applicant's own silence ends an application.
    assert {state for step in load_deadline_steps() for state in step.states} == OPEN_STATES
    assert {state for step in load_deadline_steps() if step.lapses for state in step.states} == EDITABLE_STATES


@pytest.mark.parametrize("wrong", ['states = ["asleep"]', 'counts = "moons"', 'within = "x"'])
def test_a_fault_in_the_file_is_found_when_it_is_read(wrong):
    member = wrong.split(" ", maxsplit=1)[0]
    lines = {"states": '["draft"]', "within": "1", "counts": '"state"', "lapses": "true"}
    right = [f"{name} = {value}" for name, value in lines.items()]
    assert parse_steps("[x]\n" + "\n".join(right))[0].working_days == 1
    with pytest.raises(ValueError, match=r"asleep|moons|x"):
        parse_steps("[x]\n" + "\n".join([*(line for line in right if not line.startswith(member)), wrong]))


# Properties: any life of questions and answers

MOMENTS = st.integers(0, 200 * 24).map(lambda hours: at("11-23 09:00") + timedelta(hours=hours))


@st.composite
def lives(draw):
    """A case in review after any number of answered questions, and a moment not before the last of them."""
    moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=9, unique=True)))
    submitted, *rest = moments if len(moments) % 2 == 0 else [*moments, moments[-1] + timedelta(hours=1)]
    now = rest.pop()
    stops = tuple(zip(rest[::2], rest[1::2], strict=True))
    return ApplicationTimes(State.IN_REVIEW, submitted, submitted, stops), now


@given(lives())
def test_overdue_is_when_more_days_were_counted_than_allowed(life):
    times, now = life
    found = compute_timing(times, [DECISION], WEEK, now)
    assert (found.age_working_days >= 30) == (baku_day(now) >= baku_day(found.due_at - timedelta(seconds=1)))
    assert found.overdue == (now >= found.due_at)
    if found.age_working_days > 30:
        assert found.overdue


@given(lives(), st.integers(0, 400))
def test_age_never_falls_and_the_deadline_stands(life, hours):
    times, now = life
    sooner, later = (compute_timing(times, [DECISION], WEEK, each) for each in (now, now + timedelta(hours=hours)))
    assert sooner.age_working_days <= later.age_working_days
    assert sooner.due_at == later.due_at


@given(lives())
def test_a_stop_moves_the_deadline_by_its_own_working_days(life):
    times, now = life
    found = compute_timing(times, [DECISION], WEEK, now)
    unasked = compute_timing(
        ApplicationTimes(times.state, times.state_since, times.submitted_at), [DECISION], WEEK, now
    )
    stopped = sum(WEEK.count_working_days(baku_day(a), baku_day(b)) for a, b in times.pauses)
    assert found.age_working_days == unasked.age_working_days - stopped
    if not found.overdue and found.due_at > end_of_day(baku_day(now)):
        assert baku_day(found.due_at) == WEEK.add_working_days(
            baku_day(unasked.due_at) - timedelta(days=1), stopped
        ) + timedelta(days=1)


@given(lives(), st.randoms(use_true_random=False))
def test_the_order_of_the_questions_does_not_matter(life, random):
    times, now = life
    shuffled = list(times.pauses)
    random.shuffle(shuffled)
    again = ApplicationTimes(times.state, times.state_since, times.submitted_at, tuple(shuffled))
    assert compute_timing(times, [DECISION], WEEK, now) == compute_timing(again, [DECISION], WEEK, now)


@given(lives())
def test_the_query_leaves_out_only_what_is_in_time(life):
    times, now = life
    if times.submitted_at >= latest_start_not_overdue(DECISION, now):
        assert not compute_timing(times, [DECISION], WEEK, now).overdue
