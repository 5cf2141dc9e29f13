"""Updates of firmware in a scenario: which version runs when, and which faults are a version's doing."""

from __future__ import annotations

from firmware_sim.confounders import firmware_at, firmware_versions, spells
from firmware_sim.schedule import fault_schedule
from tests.firmware_sim.scenarios.making import DAY, PLUGS, START, world


def test_an_update_changes_the_version_and_a_scenario_names_it() -> None:
    text = '[[confounder]]\nwhat = "firmware_update"\nday = 5.0\nto_firmware = "3.1.4"\nkind = "refrigerator"'
    place, devices, _ = world(text)
    assert [version for _, version in firmware_versions(place, devices[0])] == ["2.4.1", "3.1.4"]
    assert firmware_at(place, devices[0], START + 5 * DAY - 1) == "2.4.1"
    assert firmware_at(place, devices[0], START + 5 * DAY) == "3.1.4"
    assert firmware_at(place, devices[10], START + 9 * DAY) == "2.4.1"


def test_an_update_that_is_taken_back_brings_the_version_before_it() -> None:
    head = '[[confounder]]\nwhat = "firmware_update"\nkind = "refrigerator"\n'
    place, devices, _ = world(head + 'day = 5.0\ndays = 3.0\nto_firmware = "3.1.4"')
    assert [(since - START) / DAY for since, _ in firmware_versions(place, devices[0])] == [0.0, 5.0, 8.0]
    assert [version for _, version in firmware_versions(place, devices[0])] == ["2.4.1", "3.1.4", "2.4.1"]
    other = head + 'day = 6.0\ndays = 5.0\nto_firmware = "3.2.0"'
    place, devices, _ = world(head + 'day = 5.0\ndays = 3.0\nto_firmware = "3.1.4"\n' + other)
    versions = firmware_versions(place, devices[0])
    # The later one stays when the earlier one ends.
    assert versions[1:] == tuple((START + day * DAY, word) for day, word in ((5, "3.1.4"), (6, "3.2.0"), (11, "2.4.1")))


TAKEN_BACK = """
[[confounder]]
what = "firmware_update"
kind = "refrigerator"
day = 5.0
days = 10.0
spread_days = 2.0
to_firmware = "3.1.4"
then_firmware = "3.1.5"
"""


def test_an_update_is_taken_back_by_the_version_that_the_scenario_names() -> None:
    place, devices, _ = world(TAKEN_BACK)
    versions = firmware_versions(place, devices[0])
    assert [version for _, version in versions] == ["2.4.1", "3.1.4", "3.1.5"]
    came, back = (at for at, _ in versions[1:])
    assert back - came == 10 * DAY
    assert firmware_at(place, devices[0], back + 100 * DAY) == "3.1.5"


def test_a_fault_of_a_version_begins_after_it_has_come_and_not_once_it_is_gone() -> None:
    fault = '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\nupdated_to = "3.1.4"\nspread_days = 20.0\n'
    place, devices, told = world(TAKEN_BACK + fault)
    begun = 0
    for one in devices:
        onsets = [each.onset for each in fault_schedule(place, one, told)]
        versions = firmware_versions(place, one)
        if one.kind != "refrigerator":
            assert (onsets, len(versions)) == ([], 1)
            continue
        came, gone = (at for at, _ in versions[1:])
        assert all(came <= at < gone for at in onsets)
        begun += len(onsets)
    # Half of the spread lies after the version is gone: some fall ill, some never do.
    assert 0 < begun < sum(one.kind == "refrigerator" for one in devices)


def test_an_update_of_a_plug_changes_nothing_of_what_stands_behind_it() -> None:
    place, devices, _ = world('[[confounder]]\nwhat = "firmware_update"\nday = 1.0\nkind = "smart_plug"\n' + PLUGS)
    plug = next(one for one in devices if one.kind == "smart_plug")
    assert spells(place, plug) == ()
    assert [version for _, version in firmware_versions(place, plug)] == ["2.4.1", "2.5.0"]
