"""What a scenario draws: households, appliances, faults, confounders and their truth."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import numpy as np
import pytest

from firmware_sim.confounder_spec import confounder_specs, sized
from firmware_sim.confounders import occurrences, planned_repairs, spells
from firmware_sim.fleet import Fleet
from firmware_sim.network_spec import Link
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ProgrammePhysics
from firmware_sim.population import shared_out
from firmware_sim.schedule import choices, fault_schedule
from firmware_sim.truth import ConfounderLine, FaultLine, InterventionLine, read_truth, truth_text
from telemetry.catalogue import Influence
from tests.firmware_sim.scenarios.making import DAY, FLEET, HEAD, PLUGS, START, catalogue, scenario, world


def test_a_fleet_is_a_function_of_scenario_and_seed() -> None:
    (_, one, _), (_, two, _), (_, other, _) = world(""), world(""), world("", seed=12)
    assert one == two != other
    assert [device.device for device in one][:2] == ["fridge-001", "fridge-002"]
    assert [device.index for device in one] == list(range(16))
    assert {device.household.id for device in one[10:]} < {device.household.id for device in one[:10]}


def test_entries_of_a_kind_count_on_and_weights_decide_models_lots_firmware_and_hosts() -> None:
    fleet = """
    [[fleet]]
    kind = "refrigerator"
    count = 50
    models = {lx260 = 3, lx310 = 0}
    lots = {a = 1, b = 4}
    firmware = {"1.0" = 1, "2.0" = 1}
    room = {zh = "车库", en = "Garage"}
    [[fleet]]
    kind = "refrigerator"
    count = 50
    prefix = "cold"
    [[fleet]]
    kind = "smart_plug"
    count = 50
    host = {refrigerator = 4, freezer = 1}
    """
    _, devices, _ = world("", fleet)
    first, second, plugs = devices[:50], devices[50:100], devices[100:]
    assert {device.model for device in first} == {"lx260"}
    assert Counter(device.lot for device in first)["b"] > 25
    assert {device.firmware for device in first} == {"1.0", "2.0"}
    assert {device.room for device in first} <= {"车库", "Garage"}
    assert second[0].device == "cold-001"
    assert len({device.household.id for device in devices[:100]}) == 100
    assert {device.lot for device in second} == {"A"}
    assert Counter(device.host for device in plugs).most_common(1)[0][0] == "refrigerator"
    for device in plugs:
        assert device.physics == device.host
        assert device.physics_model in catalogue()[device.physics].models


def test_households_have_their_own_day_week_and_language() -> None:
    text = """
    [households]
    languages = {en = 1.0}
    zones = ["Asia/Shanghai", "Europe/Berlin"]
    wake = [5.0, 0.5]
    home_by_day = 0.0
    free_days = ["fri", "sat"]
    busy = 0.3
    appliances = 1.0
    """
    _, devices, _ = world(text)
    homes = {device.household.id: device.household for device in devices}
    assert len(homes) == 16
    assert {home.lang for home in homes.values()} == {"en"}
    assert Counter(home.tz for home in homes.values()) == {"Asia/Shanghai": 8, "Europe/Berlin": 8}
    assert all(4.0 <= home.wake <= 6.0 for home in homes.values())
    assert len({home.wake for home in homes.values()}) == 16
    assert {home.free_days for home in homes.values()} == {(4, 5)}
    assert not any(home.home_by_day for home in homes.values())
    assert min(home.busy for home in homes.values()) < 1.0 < max(home.busy for home in homes.values())


@pytest.mark.parametrize(
    ("weights", "total", "shares"), [([84, 36], 10, [7, 3]), ([50, 1], 2, [1, 1]), ([5, 3], 1, [1, 0])]
)
def test_a_fleet_is_scaled_in_proportion(weights: list[int], total: int, shares: list[int]) -> None:
    assert shared_out(weights, total) == shares


def test_a_scaled_scenario_keeps_its_mix_and_forgets_devices_that_are_gone() -> None:
    text = """
    [[fault]]
    fault = "refrigerator.condenser_fan_wear"
    device = "fridge-010"
    day = 3
    [[fault]]
    fault = "refrigerator.condenser_fan_wear"
    device = ["fridge-010", "fridge-001"]
    day = 3
    """
    one = scenario(text)
    small, large = one.scaled(8), one.scaled(1600)
    assert [entry.count for entry in small.fleet] == [5, 3]
    assert [entry.count for entry in large.fleet] == [1000, 600]
    assert [entry.device for entry in small.fault] == [("fridge-010", "fridge-001")]
    assert len(large.fault) == 2


def test_faults_by_chance_come_at_their_rate_and_only_with_a_mechanism() -> None:
    fleet = '[[fleet]]\nkind = "refrigerator"\ncount = 200\n'
    text = """
    [faults]
    mean_days = 300.0
    first_day = 5.0
    weights = {"refrigerator.refrigerant_leak" = 0}
    """
    place, devices, merged = world(text, fleet)
    faults = [fault for device in devices for fault in fault_schedule(place, device, merged)]
    assert len(faults) / (200 * 3_650 / 360.0) == pytest.approx(1.0, abs=0.1)
    assert min(fault.onset for fault in faults) >= START + 5 * DAY
    assert "refrigerant_leak" not in {fault.fault for fault in faults}
    for fault in faults:
        spec = merged["refrigerator"].faults[fault.fault]
        assert spec.mechanism
        low, high = spec.lead_days
        assert low * DAY - 1 <= fault.failure - fault.onset <= high * DAY + 1


def test_exactly_the_share_is_part_worn_and_of_the_kinds_asked_for() -> None:
    text = '[faults]\npart_worn = 0.5\nworn_days = [2.0, 6.0]\nkinds = ["washing_machine"]'
    place, devices, merged = world(text)
    worn = {device.device: fault_schedule(place, device, merged) for device in devices}
    begun = {name: faults for name, faults in worn.items() if faults}
    assert len(begun) == 3
    assert all(name.startswith("washer") for name in begun)
    for (fault,) in begun.values():
        assert START - 6 * DAY <= fault.onset <= START - 2 * DAY


def test_a_fixed_fault_holds_for_those_described_and_displaces_faults_by_chance() -> None:
    fleet = '[[fleet]]\nkind = "refrigerator"\ncount = 400\nlots = {a = 1, b = 1}\n'
    text = """
    [faults]
    mean_days = 40.0
    [[fault]]
    fault = "refrigerator.condenser_fan_wear"
    lot = "b"
    share = 0.5
    date = 2026-03-11
    spread_days = 4.0
    lead_days = 12.5
    """
    place, devices, merged = world(text, fleet)
    lots = {device.key: device.lot for device in devices}
    hit = []
    for device in devices:
        first = fault_schedule(place, device, merged)[0]
        if first.failure - first.onset == round(12.5 * DAY):
            hit.append(first)
    assert {lots[fault.device] for fault in hit} == {"b"}
    assert len(hit) / sum(device.lot == "b" for device in devices) == pytest.approx(0.5, abs=0.1)
    assert all(START + 10 * DAY <= fault.onset < START + 14 * DAY for fault in hit)


def test_a_fault_can_change_what_surrounds_an_appliance() -> None:
    fleet = '[[fleet]]\nkind = "refrigerator"\ncount = 2\n[[fleet]]\nkind = "washing_machine"\ncount = 2\n'
    text = """
    [define.fault.refrigerator.vent_blocked]
    lead_days = [1, 1]
    mechanism = {"drive.ambient" = {add = 9.0}}
    [define.fault.washing_machine.mixing_valve]
    lead_days = [1, 1]
    mechanism = {"drive.inlet" = {add = 15.0}}
    [[fault]]
    fault = "vent_blocked"
    device = "fridge-002"
    day = -1.0
    [[fault]]
    fault = "mixing_valve"
    device = "washer-002"
    day = -1.0
    """

    def means(extra: str) -> dict[int, float]:
        channel = {0: "ambient", 1: "ambient", 2: "water_temp", 3: "water_temp"}
        found: dict[int, list[float]] = {number: [] for number in channel}
        for body in Fleet(scenario(extra, fleet), 3, START, catalogue()).advance(START + 2 * DAY):
            if body.device < 2 or body.phase == "rinse":
                found[body.device] += np.atleast_1d(np.array(body.q[channel[body.device]], dtype=float)).tolist()
        return {number: float(np.mean(values)) for number, values in found.items()}

    healthy, worn = means(""), means(text)
    assert (worn[0], worn[2]) == (healthy[0], healthy[2])
    assert worn[1] > healthy[1] + 8.0
    assert worn[3] > healthy[3] + 5.0


def test_a_combination_begins_together() -> None:
    text = """
    [define.combination.both]
    kind = "refrigerator"
    faults = ["condenser_fan_wear", "refrigerant_leak"]
    [[fault]]
    fault = "both"
    device = "fridge-003"
    day = 4.0
    """
    place, devices, merged = world(text)
    schedules = {device.device: fault_schedule(place, device, merged) for device in devices}
    assert [fault.fault for fault in schedules.pop("fridge-003")] == ["condenser_fan_wear", "refrigerant_leak"]
    assert not any(schedules.values())
    fleet = Fleet(place.scenario, place.seed, START, catalogue())
    assert {fault.fault for fault in fleet.expected(START + 5 * DAY)} == {"condenser_fan_wear", "refrigerant_leak"}


def test_combinations_with_a_prior_come_by_chance() -> None:
    text = """
    [faults]
    mean_days = 100.0
    [define.combination.both]
    kind = "refrigerator"
    faults = ["condenser_fan_wear", "refrigerant_leak"]
    prior = 50.0
    """
    place, devices, merged = world(text)
    onsets = Counter(fault.onset for fault in fault_schedule(place, devices[0], merged))
    assert max(onsets.values()) == 2


def test_a_plug_sees_the_faults_of_its_host() -> None:
    place, devices, merged = world("[faults]\nmean_days = 50.0", PLUGS)
    seen = set()
    for device in devices:
        known = choices(device, merged)
        for fault in fault_schedule(place, device, merged):
            spec = merged["smart_plug"].faults[fault.fault]
            assert fault.family == spec.family
            if fault.mechanism_of is None:
                assert spec.mechanism
                continue
            seen.add(fault.mechanism_of)
            assert fault.mechanism_of in spec.seen_from
            assert fault.mechanism_of.partition(".")[0] == device.host
            assert known[fault.mechanism_of].fault == fault.fault
    assert {name.partition(".")[0] for name in seen} == {"refrigerator", "washing_machine"}


def test_the_products_confounders_act_on_what_exists() -> None:
    specs = confounder_specs({})
    assert len(specs) >= 12
    for name, spec in specs.items():
        acts = {kind: spec.on(kind) for kind in simulated_kinds()}
        assert spec.mends or any(acts.values()), name
        for kind, targets in acts.items():
            physics = physics_of(kind)
            for target in targets:
                group, _, rest = target.partition(".")
                if group == "programme":
                    assert rest in physics.programmes, (name, target)  # type: ignore[union-attr]
                elif not rest:
                    assert target in physics.parameters.__dataclass_fields__, (name, kind, target)
                else:
                    assert group in {"drive", "habit"}, (name, target)


def test_sizes_scale_sums_in_proportion_and_factors_by_their_distance_from_one() -> None:
    assert sized(Influence(factor=2.0, add=3.0), 0.5) == Influence(factor=1.5, add=1.5)
    assert sized(Influence(factor=0.0), 2.0) == Influence(factor=0.0)
    assert sized(Influence(bias=1.0, noise=2.0, dropout=0.6, stuck=4.0, failed=0.0), 2.0) == Influence(
        bias=2.0, noise=4.0, dropout=1.0, stuck=4.0, failed=0.0
    )


def test_a_region_a_home_and_a_device_share_what_is_theirs() -> None:
    text = """
    [[confounder]]
    what = "heat_wave"
    day = 3.0
    size = 4.0
    spread_days = 5.0
    [[confounder]]
    what = "guests"
    per_year = 20.0
    share = 0.5
    [[confounder]]
    what = "firmware_update"
    day = 3.0
    spread_days = 5.0
    """
    place, devices, _ = world(text)
    table = {device.device: occurrences(place, device) for device in devices}
    heat = {one.begin for found in table.values() for one in found if one.what == "heat_wave"}
    assert len(heat) == 1
    guests = {name: tuple(one.begin for one in found if one.what == "guests") for name, found in table.items()}
    for number in range(1, 7):
        assert guests[f"fridge-{number:03d}"] == guests[f"washer-{number:03d}"]
    assert any(guests.values())
    assert not all(guests.values())
    updates = [one.begin for found in table.values() for one in found if one.what == "firmware_update"]
    assert len(set(updates)) == 16
    for device in devices:
        assert occurrences(place, device) == table[device.device]


def test_spells_carry_the_size_and_only_what_the_kind_has() -> None:
    text = """
    [[confounder]]
    what = "heat_wave"
    day = 2.0
    days = 5.0
    size = 4.0
    [[confounder]]
    what = "heavy_loads"
    day = 2.0
    days = 5.0
    size = 0.5
    [[confounder]]
    what = "firmware_update"
    day = 1.0
    """
    place, devices, _ = world(text)
    fridge, washer = spells(place, devices[0]), spells(place, devices[10])
    assert [one.what for one in fridge] == ["firmware_update", "heat_wave"]
    assert [one.what for one in washer] == ["firmware_update", "heat_wave", "heavy_loads"]
    assert fridge[1].influences["drive.ambient"] == Influence(add=4.0)
    assert fridge[1].level(np.array([START + 4 * DAY, START, START + 8 * DAY])).tolist() == [1.0, 0.0, 0.0]
    assert washer[2].influences == {"habit.load": Influence(factor=1.5)}
    assert fridge[0].influences["set_freezer"] == Influence(add=-1.0)


def test_holidays_are_spent_at_home_or_away_by_whole_households() -> None:
    text = """
    [households]
    [[households.holiday]]
    date = 2025-10-01
    days = 7
    away = 0.5
    [[households.holiday]]
    date = 2026-05-01
    every_year = false
    away = 0.0
    """
    place, devices, _ = world(text)
    found = {device.device: occurrences(place, device) for device in devices}
    assert {one.what for some in found.values() for one in some} == {"holiday", "owner_away"}
    for number in range(1, 7):
        fridge, washer = found[f"fridge-{number:03d}"], found[f"washer-{number:03d}"]
        assert [(one.what, one.begin) for one in fridge] == [(one.what, one.begin) for one in washer]
    begins = {dt.datetime.fromtimestamp(one.begin / 1e6, dt.UTC).date() for some in found.values() for one in some}
    assert begins == {dt.date(2026, 5, 1), dt.date(2026, 10, 1), dt.date(2027, 10, 1)}


def test_descaling_takes_the_scale_away_without_a_repair() -> None:
    fleet = '[[fleet]]\nkind = "water_heater"\ncount = 3\n'
    text = """
    [[fault]]
    fault = "water_heater.element_scale"
    day = 0.5
    lead_days = 30
    [[confounder]]
    what = "descaling"
    device = "heater-001"
    day = 2.0
    """
    place, devices, _ = world(text, fleet)
    assert [repair.fault for repair in planned_repairs(place, devices[0])] == ["element_scale"]
    assert planned_repairs(place, devices[1]) == ()
    fleet_ = Fleet(place.scenario, place.seed, START, catalogue())
    fleet_.advance(START + 3 * DAY)
    lines = read_truth(truth_text(fleet_))
    faults = {line.device: line for line in lines if isinstance(line, FaultLine)}
    assert len(faults) == 3
    assert (faults["demo/heater-001"].repaired, faults["demo/heater-001"].by) == (START + 2 * DAY, "descaling")
    assert faults["demo/heater-002"].repaired is None
    assert [(line.at, line.what) for line in lines if isinstance(line, InterventionLine)] == [
        (START + 2 * DAY, "descaling")
    ]
    assert [line.what for line in lines if isinstance(line, ConfounderLine)] == ["descaling"]


def test_the_truth_ahead_lists_what_will_come_in_order() -> None:
    text = """
    [faults]
    part_worn = 0.5
    [[confounder]]
    what = "heat_wave"
    day = 20.0
    """
    place, _, _ = world(text)
    fleet = Fleet(place.scenario, place.seed, START, catalogue())
    ahead = read_truth(truth_text(fleet, START + 30 * DAY))
    assert len([line for line in ahead if isinstance(line, FaultLine)]) == 8
    assert len([line for line in ahead if isinstance(line, ConfounderLine)]) == 16
    times = [line.onset if isinstance(line, FaultLine) else getattr(line, "begin", 0) for line in ahead]
    assert times == sorted(times)
    assert not [line for line in read_truth(truth_text(fleet)) if isinstance(line, ConfounderLine)]


def test_links_follow_parts_and_shares() -> None:
    text = """
    [network]
    loss = 0.01
    [[network.part]]
    kind = "washing_machine"
    offline_hours = 5.0
    [[network.part]]
    share = 0.5
    loss = 0.4
    """
    place, devices, _ = world(text, FLEET.replace("10", "200"))
    links = [place.scenario.network.link(place.seed, device.index, device) for device in devices]
    assert {link.offline_hours for link in links[:200]} == {0.0}
    assert {link.offline_hours for link in links[200:]} == {5.0}
    assert Counter(link.loss for link in links)[0.4] / len(links) == pytest.approx(0.5, abs=0.1)
    assert not place.scenario.network.perfect
    assert scenario("").network.link(1, 0, devices[0]) == Link()
    assert scenario("").network.perfect


def test_the_costs_of_a_kind_replace_those_of_all() -> None:
    costs = scenario(
        "[costs]\nvisit = 100\nother = {spoilt_food = 30}\n[costs.kinds.refrigerator]\nbreakdown = 900"
    ).costs
    assert (costs.of("refrigerator").breakdown, costs.of("refrigerator").visit) == (900.0, 100.0)
    assert costs.of("washing_machine").breakdown == costs.breakdown
    assert costs.other == {"spoilt_food": 30.0}


def test_habits_and_the_spread_between_units_can_be_changed() -> None:
    text = "[habits.washing_machine]\nload = 5.5\nload_between = 0\nload_within = 0\nprogrammes = {eco50 = 3.0}"
    fleet = '[[fleet]]\nkind = "washing_machine"\ncount = 4\nmodels = {vela8 = 1}\n'
    one = scenario(text, fleet, HEAD + "unit_spread = 0.0\n")
    physics = physics_of("washing_machine")
    assert isinstance(physics, ProgrammePhysics)
    habits = one.habits_of("washing_machine", physics.habits)
    assert (habits.load, habits.starts) == (5.5, physics.habits.starts)
    assert one.programmes_of("washing_machine", physics.programmes)["eco50"].share == 3.0
    bodies = Fleet(one, 3, START, catalogue()).advance(START + 2 * DAY)
    loads = {round(float(np.nanmax(np.array(body.q["load"], dtype=float))), 0) for body in bodies}
    assert loads - {0.0} <= {5.0, 6.0}
    assert len(loads) > 1
    assert scenario("", fleet).habits_of("washing_machine", physics.habits) is physics.habits


def test_overrides_change_the_catalogue_and_its_hash() -> None:
    text = """
    [models.refrigerator.polar]
    like = "lx260"
    title = "Polar"
    parameters = {fan_rpm = 1400}
    [define.fault.refrigerator.condenser_fan_wear]
    lead_days = [1, 2]
    [define.fault.refrigerator.iced_up]
    title = "Iced up"
    lead_days = [4, 8]
    mechanism = {fan_rpm = {factor = 0.5}}
    """
    own = catalogue()
    merged = scenario(text).catalogue(own)
    spec = merged["refrigerator"]
    assert spec.models["polar"].parameters == own["refrigerator"].models["lx260"].parameters | {"fan_rpm": 1400.0}
    assert spec.faults["condenser_fan_wear"].lead_days == (1.0, 2.0)
    assert spec.faults["condenser_fan_wear"].mechanism == own["refrigerator"].faults["condenser_fan_wear"].mechanism
    assert spec.faults["iced_up"].title.zh == "Iced up"
    assert merged.hash != own.hash
    assert scenario("").catalogue(own) is own
