"""sluiced's admin address: /metrics, /status, /readyz."""

import http.client
import json
import re

SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
# received == the sum of all the others (daemon/base/counters.def)
ENDS = ("refused_total", "completed_total", "app_error_total", "discarded_total", "lost_total",
        "queued", "running")
TIMEOUT_SEC = 30


class Metrics:
    """One reading of all numbers."""

    def __init__(self, text):
        self.values = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            sample = SAMPLE.match(line)
            assert sample, f"not a line of the Prometheus text format: {line}"
            labels = frozenset(LABEL.findall(sample["labels"] or ""))
            self.values[sample["name"], labels] = float(sample["value"])

    def get(self, name, **labels):
        return self.values[f"sluice_{name}", frozenset(labels.items())]

    def _sum(self, name, service):
        return sum(value for (metric, labels), value in self.values.items()
                   if metric == name and ("service", service) in labels)

    def ledger_gaps(self):
        """Per service, calls received minus calls accounted for: empty when all balance."""
        services = {dict(labels)["service"] for name, labels in self.values
                    if name == "sluice_requests_received_total"}
        gaps = {service: self._sum("sluice_requests_received_total", service)
                - sum(self._sum(f"sluice_requests_{end}", service) for end in ENDS)
                for service in services}
        return {service: gap for service, gap in gaps.items() if gap != 0}


class Admin:
    def __init__(self, host, port):
        self.host, self.port = host, port

    def get(self, path):
        return self._request("GET", path)

    def post(self, path, headers=None):
        return self._request("POST", path, headers or {})

    def _request(self, method, path, headers=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SEC)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        code, text = self.get("/metrics")
        assert code == 200, text
        return Metrics(text)

    def status(self):
        code, text = self.get("/status")
        assert code == 200, text
        return json.loads(text)
