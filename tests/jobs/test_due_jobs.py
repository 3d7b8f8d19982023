"""What falls due is done in the background, as `mik admin sweep` does it."""

from datetime import timedelta

from app.cli.admin import sweep
from app.worker.handlers import build_handlers
from tests.helpers import rows


def test_the_jobs_do_what_the_sweep_does(app):
    company = app.set_up_company()
    case_id = company.draft()
    app.run_jobs()  # schedules them
    app.clock.advance(days=200)
    entries = rows(app, "SELECT count(*) FROM log_entries")
    assert app.run_jobs() == sum(each.every is not None for each in build_handlers(app.container))
    assert company.application(case_id)["state"] == "lapsed"
    assert rows(app, "SELECT count(*) FROM log_entries") > entries  # the head of the history
    said, files = [], app.container.evidence_files
    assert sweep.run(app.database, app.clock(), dry_run=True, report=said.append, files=files) == 0
    assert said == ["0 due; nothing was changed."]
    assert rows(app, "SELECT name, last_error FROM jobs WHERE attempts > 0") == []


def test_the_retry_follows_when_something_was_in_use(app, monkeypatch):
    from app.worker import handlers  # noqa: PLC0415 (only this test replaces a part of it)
    from app.worker.due_tasks import FINDERS, TaskTotals  # noqa: PLC0415 (as above)

    app.run_jobs()
    app.clock.advance(hours=1)
    monkeypatch.setattr(handlers.due_tasks, "run_tasks", lambda *_, **__: TaskTotals(left=1))
    app.run_jobs()
    failed = rows(app, "SELECT last_error FROM jobs WHERE attempts = 1")
    assert len(failed) == sum(each.every <= timedelta(hours=1) for each in FINDERS)
    assert set(failed) == {("TasksLeft: 1 tasks were in use.",)}
