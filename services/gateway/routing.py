"""What the gateway hands on to which service: a table. A path that is not in it is not to be reached from outside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from services.gateway.scopes import Scope

API = "/api/v1"
_PARAMETER = re.compile(r"\{(\w+)\}")


def escaped(value: str) -> str:
    """A segment of a path: what is not plain as `%XX` of its UTF-8 (RFC 3986, 2.1)."""
    return quote(value, safe=":@")


class Service(StrEnum):
    """The services behind the gateway."""

    INGEST = "ingest"
    ALERTS = "alerts"
    MODEL = "model"


# Whose rights the paths under a segment take; other paths take those of the service's main resource.
_RESOURCES: Mapping[str, str] = {
    "enterprises": "parks",
    "stations": "parks",
    "devices": "devices",
    "mapping": "devices",
    "replays": "devices",
    "rules": "rules",
    "alarm-policy": "rules",
}
_MAIN: Mapping[Service, str] = {Service.INGEST: "observations", Service.ALERTS: "alarms", Service.MODEL: "runs"}
_OF_A_PARK = "/parks/{park_id}"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, which service answers it, and the verb (read, write, admin) that it takes."""

    method: str
    path: str
    service: Service
    scope: Scope = Scope.READ

    def target(self, values: Mapping[str, str]) -> str:
        """The path at the service; `values` are segments of a plain path (`tenancy.is_plain`), without escapes."""
        return _PARAMETER.sub(lambda match: escaped(values[match.group(1)]), self.path)

    def required(self) -> Scope:
        """The scope that the route takes: the verb on the resource that the path is about."""
        if self.scope is Scope.ADMIN:
            return Scope.ADMIN
        if self.path == _OF_A_PARK:
            return Scope(f"parks:{self.scope}")
        segment = self.path.removeprefix(_OF_A_PARK).split("/")[1]
        return Scope(f"{_RESOURCES.get(segment, _MAIN[self.service])}:{self.scope}")

    def shape(self) -> tuple[str, str]:
        """Method and path with nameless parameters: what finds the operation in a service's own description."""
        return self.method, _PARAMETER.sub("{}", self.path)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/parks/{park_id}", Service.INGEST),
    Route("GET", "/parks/{park_id}/enterprises", Service.INGEST),
    Route("GET", "/parks/{park_id}/stations", Service.INGEST),
    Route("GET", "/parks/{park_id}/stations/{station_id}/locations", Service.INGEST),
    Route("GET", "/parks/{park_id}/latest", Service.INGEST),
    Route("GET", "/parks/{park_id}/observations", Service.INGEST),
    Route("POST", "/parks/{park_id}/observations", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/uploads", Service.INGEST),
    Route("GET", "/parks/{park_id}/uploads/{upload_id}", Service.INGEST),
    Route("PUT", "/parks/{park_id}/uploads/{upload_id}", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/uploads/{upload_id}/refusals", Service.INGEST),
    Route("GET", "/parks/{park_id}/mqtt-refusals", Service.INGEST),
    Route("POST", "/parks/{park_id}/mqtt-refusals/replay", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/meteorology", Service.INGEST),
    Route("GET", "/parks/{park_id}/completeness", Service.INGEST),
    Route("GET", "/parks/{park_id}/conversions", Service.INGEST),
    Route("GET", "/parks/{park_id}/wind", Service.INGEST),
    Route("GET", "/parks/{park_id}/corrections", Service.INGEST),
    Route("POST", "/parks/{park_id}/corrections", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/conflicts", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices/{mn}/commands", Service.INGEST),
    Route("POST", "/parks/{park_id}/devices/{mn}/commands", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/devices/{mn}/commands/{command_id}", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices/{mn}/gaps", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices/{mn}/gap-filling", Service.INGEST),
    Route("PUT", "/parks/{park_id}/devices/{mn}/gap-filling", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/devices/{mn}/frames", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices/{mn}/reports", Service.INGEST),
    Route("GET", "/parks/{park_id}/devices/{mn}/standard-checks", Service.INGEST),
    Route("POST", "/parks/{park_id}/devices/{mn}/replays", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/replays", Service.INGEST),
    Route("GET", "/parks/{park_id}/replays/{replay_id}", Service.INGEST),
    # Holds passwords of devices.
    Route("GET", "/parks/{park_id}/mapping", Service.INGEST, Scope.WRITE),
    Route("PUT", "/parks/{park_id}/mapping", Service.INGEST, Scope.WRITE),
    Route("GET", "/parks/{park_id}/wind-rose", Service.INGEST),
    Route("GET", "/parks/{park_id}/statistics", Service.INGEST),
    Route("GET", "/parks/{park_id}/observations/changes", Service.INGEST),
    Route("GET", "/parks/{park_id}/observations/export", Service.INGEST),
    Route("GET", "/parks/{park_id}/reports/daily", Service.INGEST),
    Route("GET", "/parks/{park_id}/reports/daily.html", Service.INGEST),
    Route("GET", "/parks/{park_id}/reports/monthly", Service.INGEST),
    Route("GET", "/parks/{park_id}/reports/monthly.html", Service.INGEST),
    Route("GET", "/parks/{park_id}/alarms", Service.ALERTS),
    Route("GET", "/parks/{park_id}/alarms/{alarm_id}", Service.ALERTS),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/acknowledge", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/reset", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/shelve", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/unshelve", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/assign", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/alarms/{alarm_id}/comment", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/suppressions", Service.ALERTS),
    Route("POST", "/parks/{park_id}/suppressions", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/suppressions/{suppression_id}/end", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/kpi", Service.ALERTS),
    Route("GET", "/parks/{park_id}/incidents", Service.ALERTS),
    Route("GET", "/parks/{park_id}/incidents/{incident_id}", Service.ALERTS),
    Route("GET", "/parks/{park_id}/incidents/{incident_id}/timeline", Service.ALERTS),
    Route("POST", "/parks/{park_id}/incidents/{incident_id}/close", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/flood", Service.ALERTS),
    Route("GET", "/parks/{park_id}/floods", Service.ALERTS),
    Route("GET", "/parks/{park_id}/notifications", Service.ALERTS),
    Route("GET", "/parks/{park_id}/alarm-policy", Service.ALERTS),
    Route("PUT", "/parks/{park_id}/alarm-policy", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules", Service.ALERTS),
    Route("GET", "/parks/{park_id}/rules/effective", Service.ALERTS),
    Route("GET", "/parks/{park_id}/rules/baselines", Service.ALERTS),
    Route("GET", "/parks/{park_id}/rules/overrides", Service.ALERTS),
    Route("POST", "/parks/{park_id}/rules/overrides", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules/overrides/{override_id}", Service.ALERTS),
    Route("PUT", "/parks/{park_id}/rules/overrides/{override_id}", Service.ALERTS, Scope.WRITE),
    Route("DELETE", "/parks/{park_id}/rules/overrides/{override_id}", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules/overrides/{override_id}/versions", Service.ALERTS),
    Route("GET", "/parks/{park_id}/rules/across", Service.ALERTS),
    Route("POST", "/parks/{park_id}/rules/across", Service.ALERTS, Scope.WRITE),
    Route("POST", "/parks/{park_id}/rules/across/trial", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules/across/{rule_id}", Service.ALERTS),
    Route("PUT", "/parks/{park_id}/rules/across/{rule_id}", Service.ALERTS, Scope.WRITE),
    Route("DELETE", "/parks/{park_id}/rules/across/{rule_id}", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules/across/{rule_id}/versions", Service.ALERTS),
    Route("GET", "/parks/{park_id}/rules/trial", Service.ALERTS),
    Route("POST", "/parks/{park_id}/rules/trial", Service.ALERTS, Scope.WRITE),
    Route("GET", "/parks/{park_id}/rules/trial/{trial_id}", Service.ALERTS),
    Route("POST", "/parks/{park_id}/rules/trial/{trial_id}/cancel", Service.ALERTS, Scope.WRITE),
    # About all parks: a fact is of a shard, which several may share.
    Route("GET", "/refused-facts", Service.ALERTS, Scope.ADMIN),
    Route("GET", "/refused-facts/{stream}/{position}", Service.ALERTS, Scope.ADMIN),
    Route("POST", "/refused-facts/{stream}/{position}/replay", Service.ALERTS, Scope.ADMIN),
    Route("GET", "/observed-properties", Service.INGEST),
    Route("GET", "/chemicals", Service.MODEL),
    Route("GET", "/chemicals/{cas}", Service.MODEL),
    Route("GET", "/parks/{park_id}/risk-sources", Service.MODEL),
    Route("GET", "/parks/{park_id}/receptors", Service.MODEL),
    Route("GET", "/parks/{park_id}/runs", Service.MODEL),
    Route("POST", "/parks/{park_id}/runs", Service.MODEL, Scope.WRITE),
    Route("GET", "/parks/{park_id}/runs/{run_id}", Service.MODEL),
    Route("POST", "/parks/{park_id}/runs/{run_id}/cancel", Service.MODEL, Scope.WRITE),
    Route("POST", "/parks/{park_id}/runs/{run_id}/repeat", Service.MODEL, Scope.WRITE),
    Route("GET", "/parks/{park_id}/runs/{run_id}/compare", Service.MODEL),
    Route("GET", "/parks/{park_id}/runs/{run_id}/zones.geojson", Service.MODEL),
    Route("GET", "/parks/{park_id}/runs/{run_id}/map.png", Service.MODEL),
    Route("GET", "/parks/{park_id}/runs/{run_id}/report.html", Service.MODEL),
    Route("GET", "/parks/{park_id}/scenarios", Service.MODEL),
    Route("GET", "/parks/{park_id}/scenarios/{scenario_id}", Service.MODEL),
    Route("PUT", "/parks/{park_id}/scenarios/{scenario_id}", Service.MODEL, Scope.WRITE),
    Route("DELETE", "/parks/{park_id}/scenarios/{scenario_id}", Service.MODEL, Scope.WRITE),
    Route("GET", "/parks/{park_id}/scenarios/{scenario_id}/atlas", Service.MODEL),
    Route("POST", "/parks/{park_id}/scenarios/{scenario_id}/atlas", Service.MODEL, Scope.WRITE),
    Route("GET", "/parks/{park_id}/scenarios/{scenario_id}/atlas/nearest", Service.MODEL),
)
