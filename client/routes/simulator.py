"""Methods of simulator. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from client.core import Caller, segment
from client.types.simulator import ClearIn, FaultIn, FleetOut, NetworkIn, PaceIn, PaceOut, RebootIn, SimulatedOut


class SimulatorRoutes(Caller):
    """Methods of simulator."""

    def simulator(self) -> FleetOut:
        """The fleet, what is developing in it now, and its clock."""
        return self.call("GET", "/v1/simulator", FleetOut)

    def simulator_clock(self, body: PaceIn, *, key: str | None = None) -> PaceOut:
        """Ask for another pace; who paces the clock takes it up within a few seconds."""
        return self.call("POST", "/v1/simulator/clock", PaceOut, body=body, key=key)

    def simulator_network(self, body: NetworkIn, *, key: str | None = None) -> FleetOut:
        """Give every device another link."""
        return self.call("POST", "/v1/simulator/network", FleetOut, body=body, key=key)

    def simulated_device(self, org: str, device: str) -> SimulatedOut:
        """One device of the fleet: its module, its link, its faults."""
        return self.call("GET", f"/v1/simulator/{segment(org)}/{segment(device)}", SimulatedOut)

    def simulated_clearing(self, org: str, device: str, body: ClearIn, *, key: str | None = None) -> SimulatedOut:
        """Undo a fault, or all, without a visit."""
        return self.call(
            "POST", f"/v1/simulator/{segment(org)}/{segment(device)}/clearings", SimulatedOut, body=body, key=key
        )

    def simulated_fault(self, org: str, device: str, body: FaultIn, *, key: str | None = None) -> SimulatedOut:
        """Let a fault begin now."""
        return self.call(
            "POST", f"/v1/simulator/{segment(org)}/{segment(device)}/faults", SimulatedOut, body=body, key=key
        )

    def simulated_network(self, org: str, device: str, body: NetworkIn, *, key: str | None = None) -> SimulatedOut:
        """Give a device another link; fields that are not named stay."""
        return self.call(
            "POST", f"/v1/simulator/{segment(org)}/{segment(device)}/network", SimulatedOut, body=body, key=key
        )

    def simulated_reboot(self, org: str, device: str, body: RebootIn, *, key: str | None = None) -> SimulatedOut:
        """Restart a device's module."""
        return self.call(
            "POST", f"/v1/simulator/{segment(org)}/{segment(device)}/reboots", SimulatedOut, body=body, key=key
        )
