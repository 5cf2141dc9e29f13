"""The limit of open files: a connection needs one."""

from __future__ import annotations

import resource

from telemetry.errors import WellkeptError

_SPARE = 128
"""For everything else that a process opens."""


class DescriptorError(WellkeptError):
    """The machine allows fewer open files than connections are wanted."""


def allow_connections(count: int) -> None:
    """Raise this process's limit of open files as far as so many connections take.

    Raises:
        DescriptorError: the system does not allow it.
    """
    wanted = count + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard not in (resource.RLIM_INFINITY, -1) and hard < wanted:
            raise DescriptorError(
                f"{count} connections need {wanted} open files and the system allows {hard}: "
                "raise `ulimit -n`, or let a gateway speak for the devices"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
