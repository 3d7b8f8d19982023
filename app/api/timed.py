"""Age and deadline as every application shows them, to its company and to the staff."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app.applications.deadlines import Clock, Timing
from app.web.fields import Answer


class Timed(Answer):
    clock: Clock = Field(description="processing clock; paused while waiting for the applicant")
    age_working_days: int | None = Field(description="working days on the processing clock; null before submission")
    due_at: datetime | None = Field(description="deadline of the next step; null when nothing is due")
    due_step: str | None = Field(description="the step that is due then", examples=["decision"])
    overdue: bool


def members(timing: Timing) -> dict[str, Any]:
    return {
        "clock": timing.clock,
        "age_working_days": timing.age_working_days,
        "due_at": timing.due_at,
        "due_step": timing.step,
        "overdue": timing.overdue,
    }
