"""Privacy requests: what a person asks for, by when, what is done for it at every place, and what they get."""

from hub.privacy.requests.clock import Law, Pause
from hub.privacy.requests.handing_out import HandedOut, access_package, preview_package
from hub.privacy.requests.handling import (
    Channel,
    Method,
    OpenRequest,
    Refusal,
    complete_task,
    extend,
    open_request,
    pause,
    plan_request,
    refuse,
    resume,
    verify,
)
from hub.privacy.requests.overview import (
    Metric,
    RequestView,
    Retained,
    list_requests,
    request_metrics,
    retained_items,
    show_request,
    tidy,
)
from hub.privacy.requests.running import record_keys, run_request
from hub.privacy.requests.states import Kind, State

__all__ = [
    "Channel",
    "HandedOut",
    "Kind",
    "Law",
    "Method",
    "Metric",
    "OpenRequest",
    "Pause",
    "Refusal",
    "RequestView",
    "Retained",
    "State",
    "access_package",
    "complete_task",
    "extend",
    "list_requests",
    "open_request",
    "pause",
    "plan_request",
    "preview_package",
    "record_keys",
    "refuse",
    "request_metrics",
    "resume",
    "retained_items",
    "run_request",
    "show_request",
    "tidy",
    "verify",
]
