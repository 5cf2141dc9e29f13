"""One believable case in the shapes of `/v1`, for the OpenAPI document; tests check that each fits its shape."""

from __future__ import annotations

from typing import Any

_DEVICE = "demo/fridge-1"
_HOUSEHOLD = "019a9000-7a10-7c52-9d3e-5b0c54b1a001"
_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_VISIT = "019a9547-3c00-7a11-8b6f-2f1f0f5d0002"
_FINDING = "6f2c55d0-93f8-5b0b-8f3e-6a7ce8d9e0a4"

CLOCK_OUT: dict[str, Any] = {
    "rev": 3,
    "wall": "2026-11-22T05:00:00Z",
    "fleet": "2026-11-18T01:30:00Z",
    "speed": 60.0,
    "now": "2026-11-18T01:34:10.250000Z",
}
DEVICE_OUT: dict[str, Any] = {
    "id": _DEVICE,
    "org": "demo",
    "device": "fridge-1",
    "kind": "refrigerator",
    "model": "lx260",
    "serial": "LX260-004217",
    "room": "kitchen",
    "household": _HOUSEHOLD,
    "installed": None,
    "warranty_until": "2028-03-14",
    "registered": "2025-10-14T01:30:00Z",
    "lot": "2025-31",
    "firmware": "2.4.1",
    "firmware_since": "2026-06-02T03:10:00Z",
    "health": "faulty",
    "health_since": "2026-11-16T01:30:00Z",
    "last_reading": "2026-11-18T01:29:40Z",
}
READING_OUT: dict[str, Any] = {
    "t": "2026-11-18T00:00:00Z",
    "arrival": "2026-11-18T00:00:00.412000Z",
    "epoch": 1,
    "seq": 4711,
    "sub": 0,
    "phase": "run",
    "late": False,
    "q": {"power": 91.5, "ambient": None},
}
FINDING_OUT: dict[str, Any] = {
    "id": _FINDING,
    "device": _DEVICE,
    "family": "condenser_airflow",
    "state": "open",
    "severity": 3,
    "opened": "2026-11-16T01:30:00Z",
    "onset": "2026-10-21T04:00:00Z",
    "onset_low": "2026-10-18T04:00:00Z",
    "onset_high": "2026-10-24T04:00:00Z",
    "observed": "2026-11-18T00:30:00Z",
    "score": 0.9995,
    "revision": 0,
    "history": False,
    "life": [1814400.0, 3628800.0],
    "detector": "cycles",
    "version": "1",
    "suggested": None,
    "correlation": "demo/fridge-1/1/120431",
    "finding": {"causes": [{"fault": "condenser_fan_wear", "probability": 0.71}], "rejected": [], "evidence": []},
}
WINDOW_OUT: dict[str, Any] = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-20T02:00:00Z"}
VISIT_OUT: dict[str, Any] = {
    "id": _VISIT,
    "ticket": _TICKET,
    "ref": "WK-1001",
    "device": _DEVICE,
    "household": _HOUSEHOLD,
    "family": "condenser_airflow",
    "fault": "condenser_fan_wear",
    "technician": "Chen Wei",
    "technician_id": "0b6d2a52-6c3e-5f3a-9d8b-2a0a6f6b1c11",
    "skill": "refrigeration",
    "parts": ["RF-FAN-120"],
    "window": WINDOW_OUT,
    "state": "proposed",
    "reason": None,
    "hold_until": "2026-11-19T22:00:00Z",
    "readable": "2026-11-18T01:30:00Z",
    "legal": ["confirmed", "declined", "cancelled"],
    "outcome": None,
    "cause": None,
}
EVENT_OUT: dict[str, Any] = {
    "at": "2026-11-18T01:30:00Z",
    "kind": "moved",
    "actor": "dispatch",
    "body": {"old": "open", "new": "hold", "reason": "waiting for the landlord"},
}
TICKET_OUT: dict[str, Any] = {
    "id": _TICKET,
    "ref": "WK-1001",
    "device": _DEVICE,
    "kind": "refrigerator",
    "lot": "2025-31",
    "firmware": "2.4.1",
    "household": _HOUSEHOLD,
    "family": "condenser_airflow",
    "fault": "condenser_fan_wear",
    "finding_id": _FINDING,
    "severity": 3,
    "safety": False,
    "state": "open",
    "reason": None,
    "responsible": "owner",
    "next_action": "confirm_visit",
    "next_due": "2026-11-19T22:00:00Z",
    "blocking": None,
    "opened": "2026-11-18T01:30:00Z",
    "planned": None,
    "done": None,
    "verified": None,
    "closed": None,
    "legal": ["hold", "cancelled", "false_alarm", "self_fixed"],
    "visit": _VISIT,
}
TICKET_DETAIL_OUT: dict[str, Any] = {
    **TICKET_OUT,
    "visits": [VISIT_OUT],
    "timeline": [EVENT_OUT],
    "finding": FINDING_OUT,
}
NOTICE_OUT: dict[str, Any] = {
    "id": "019a9547-3c00-7a11-8b6f-2f1f0f5d0003",
    "ticket": _TICKET,
    "household": _HOUSEHOLD,
    "stage": "alert",
    "lang": "en",
    "channel": "mail",
    "subject": "Your refrigerator needs a visit",
    "body": "We noticed that the compressor runs longer than it should.",
    "link": "https://care.example/o/…",
    "state": "delivered",
    "queued": "2026-11-18T01:30:00Z",
    "sent": "2026-11-18T01:30:02Z",
    "delivered": "2026-11-18T01:30:05Z",
    "opened": None,
}
OFFERS_OUT: dict[str, Any] = {"best": [WINDOW_OUT], "all": [WINDOW_OUT], "blocking": None}
MOVE_IN: dict[str, Any] = {"to": "hold", "reason": "waiting for the landlord"}
COMPLAINT_IN: dict[str, Any] = {"words": "This is the second visit for the same trouble."}
MERGE_IN: dict[str, Any] = {"into": _TICKET}
REPORT_IN: dict[str, Any] = {"words": "It no longer cools.", "family": "refrigerant"}
WINDOW_IN: dict[str, Any] = {"start": "2026-11-20T00:00:00Z"}
FITTED_IN: dict[str, Any] = {"sku": "RF-FAN-120", "serial": "F-20771", "replaced": "F-11872"}
OUTCOME_IN: dict[str, Any] = {
    "code": "repaired",
    "cause": "condenser_fan_wear",
    "parts": ["RF-FAN-120"],
    "note": "new fan",
}
CHANGE_OUT: dict[str, Any] = {
    "type": "visit",
    "id": _VISIT,
    "what": "changed",
    "state": "confirmed",
    "was": "proposed",
    "href": f"/v1/visits/{_VISIT}",
    "ticket": _TICKET,
}
PROBLEM_OUT: dict[str, Any] = {
    "type": "https://wellkept.invalid/problems/illegal-move",
    "title": "Illegal move",
    "status": 409,
    "detail": "a visit in proposed cannot become on_site; it may become confirmed, declined, moved, missed, cancelled",
    "instance": f"/v1/visits/{_VISIT}/moves",
    "what": "visit",
    "state": "proposed",
    "legal": ["confirmed", "declined", "moved", "missed", "cancelled"],
}
