"""A monitor of the running service behind a relay that changes single answers."""

import httpx2 as httpx

from app.monitor.monitor import Monitor, MonitorOptions
from app.monitor.public_service import PublicService


class Relay(httpx.BaseTransport):
    """Hands requests to the service in this process. `changes` maps the beginning of a path to `answer -> answer`."""

    def __init__(self, app):
        self.app, self.changes, self.asked = app, {}, []

    def handle_request(self, request):
        path = request.url.raw_path.decode()
        self.asked.append(path)
        answer = self.app.http.get(path, headers={"accept": request.headers["accept"]})
        status, body = answer.status_code, answer.content
        for begin, change in self.changes.items():
            if path.startswith(begin):
                status, body = change(status, body)
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx.Response(status, headers=headers, content=body, request=request)


class Watching:
    """One monitor with its folder; `run()` is one round."""

    def __init__(self, app, folder, *, second=None, **options):
        self.app, self.folder, self.relay, self.second = app, folder, Relay(app), second
        self.options = {"pin": True, **options}

    def service(self, relay):
        http = httpx.Client(transport=relay)
        return PublicService("http://mark.example", http, self.app.clock, lambda _seconds: None)

    def run(self, **changes):
        self.relay.changes = {path.replace("|", "/"): change for path, change in changes.items()}
        second = self.service(self.second) if self.second else None
        monitor = Monitor(self.folder, self.service(self.relay), self.app.clock, MonitorOptions(**self.options), second)
        try:
            return monitor.run_round()
        finally:
            monitor.close()

    def kinds(self, changes=None):
        self.relay.changes = changes or {}
        return {each.kind.value for each in self.run(**(changes or {})).findings}
