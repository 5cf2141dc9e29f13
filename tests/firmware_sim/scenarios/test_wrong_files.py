"""A wrong scenario names file, line, key and what is allowed, with the nearest right name."""

from __future__ import annotations

import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.scenario_file import ScenarioError, read_scenario
from firmware_sim.toml_lines import Lines
from firmware_sim.type_errors import explain
from tests.firmware_sim.scenarios.making import FLEET, HEAD, scenario

# What is added to a valid file, the marked line, the key, and what the error must say.
WRONG: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "syntax": ("x = = 1", "x = =", "syntax", ("Invalid value",)),
    "date that is none": ('[[fault]]\ndate = 2026-02-31\nfault = "x"', "date =", "syntax", ("no such date; write",)),
    "date that never comes": (
        '[[fault]]\nfault = "refrigerator.condenser_dust"\ndate = 2046-02-20',
        "date =",
        "fault[0].date",
        ("is impossible", "to ten years after"),
    ),
    "component in words": (
        '[define.fault.refrigerator.x]\ncomponent = "outdoor fan"\nlead_days = [1.0, 2.0]\nmechanism = {}',
        "component",
        "define.fault.refrigerator.x.component",
        ("lower-case letters, digits and _", "as in outdoor_fan"),
    ),
    "unknown table": ("[climat]\nmean = 1.0", "[climat]", "climat", ("did you mean 'climate'", "households")),
    "unknown key": ("[climate]\nmaen = 12.0", "maen", "climate.maen", ("did you mean 'mean'", "hemisphere")),
    "wrong type": ('[climate]\nmean = "hot"', "mean", "climate.mean", ("Expected `float`", "a number ≥ -60 ≤ 60")),
    "out of range": ("[faults]\npart_worn = 1.5", "part_worn", "faults.part_worn", ("a number ≥ 0 ≤ 1",)),
    "wrong word": ('[climate]\nhemisphere = "west"', "hemisphere", "climate.hemisphere", ("'north' or 'south'",)),
    "wrong language": ("[households]\nlanguages = {fr = 1.0}", "languages", "households.languages", ("'zh' or 'en'",)),
    "unknown zone": ('[households]\nzones = ["Asia/Shangai"]', "zones", "households.zones", ("'Asia/Shanghai'",)),
    "holiday without date": (
        "[[households.holiday]]\ndays = 2",
        "[[households.holiday]]",
        "households.holiday[0].date",
        ("is missing", "a date as 2026-07-01"),
    ),
    "entry without kind": ("[[fleet]]\ncount = 3", "[[fleet]]", "fleet[2].kind", ("is missing", "a text")),
    "unknown kind": ('[[fleet]]\nkind = "frezer"\ncount = 1', "kind", "fleet[2].kind", ("'freezer'", "refrigerator")),
    "kind that nothing simulates": ('[[fleet]]\nkind = "pump"\ncount = 1', "kind", "fleet[2].kind", ("water_heater",)),
    "count that is none": ('[[fleet]]\nkind = "freezer"\ncount = "3"', "count", "fleet[2].count", ("a whole number",)),
    "unknown model": (
        '[[fleet]]\nkind = "refrigerator"\ncount = 1\nmodels = {lx261 = 1}',
        "models",
        "fleet[2].models.lx261",
        ("did you mean 'lx260'",),
    ),
    "weight that is none": (
        '[[fleet]]\nkind = "refrigerator"\ncount = 1\nmodels = {lx260 = "much"}',
        "models",
        "fleet[2].models.lx260",
        ("a number ≥ 0",),
    ),
    "plug without host": ('[[fleet]]\nkind = "smart_plug"\ncount = 1', "[[fleet]]", "fleet[2].host", ("freezer",)),
    "host that is no kind": (
        '[[fleet]]\nkind = "smart_plug"\ncount = 1\nhost = "toaster"',
        "host",
        "fleet[2].host",
        ("refrigerator",),
    ),
    "host of a fridge": (
        '[[fleet]]\nkind = "refrigerator"\ncount = 1\nhost = "freezer"',
        "host",
        "fleet[2].host",
        ("leave it out",),
    ),
    "unknown device": (
        '[[fault]]\nfault = "condenser_fan_wear"\ndevice = "frige-003"\nday = 3',
        "device",
        "fault[0].device",
        ("did you mean 'fridge-003'",),
    ),
    "device that is too many": (
        '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\ndevice = "fridge-011"\nday = 3',
        "device",
        "fault[0].device",
        ("did you mean 'fridge-01",),
    ),
    "unknown fault": (
        '[[fault]]\nfault = "refrigerator.condenser_fan"\nday = 3',
        "fault =",
        "fault[0].fault",
        ("did you mean 'refrigerator.condenser_fan_wear'",),
    ),
    "fault of another kind": (
        '[[fault]]\nfault = "bearing_wear"\nkind = "refrigerator"\nday = 3',
        "fault =",
        "fault[0].fault",
        ("no fault of refrigerator",),
    ),
    "fault of no kind": (
        '[[fault]]\nfault = "bearing_wear"\nday = 3',
        "fault =",
        "fault[0].fault",
        ("washing_machine.bearing_wear",),
    ),
    "fault without a day": (
        '[[fault]]\nfault = "refrigerator.condenser_fan_wear"',
        "[[fault]]",
        "fault[0]",
        ("exactly one of date and day",),
    ),
    "fault with two days": (
        '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\nday = 3\ndate = 2026-03-05',
        "day",
        "fault[0].day",
        ("exactly one of date and day",),
    ),
    "fault of a version that nothing brings": (
        (
            '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\nupdated_to = "2.5.1"\n'
            '[[confounder]]\nwhat = "firmware_update"\nday = 3'
        ),
        "updated_to =",
        "fault[0].updated_to",
        ("did you mean '2.5.0'",),
    ),
    "fault of a version and a day": (
        (
            '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\nday = 3\nupdated_to = "2.5.0"\n'
            '[[confounder]]\nwhat = "firmware_update"\nday = 3'
        ),
        "day",
        "fault[0].day",
        ("either a moment or updated_to",),
    ),
    "an update for good that is taken back": (
        '[[confounder]]\nwhat = "firmware_update"\nday = 3\nthen_firmware = "2.5.1"',
        "then_firmware",
        "confounder[0].then_firmware",
        ("give its `days`",),
    ),
    "date long ago": (
        '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\ndate = 2024-03-05',
        "date",
        "fault[0].date",
        ("impossible", "2026-03-01"),
    ),
    "day far ahead": (
        '[[confounder]]\nwhat = "guests"\nday = 9000.0',
        "day",
        "confounder[0].day",
        ("impossible",),
    ),
    "unknown confounder": (
        '[[confounder]]\nwhat = "heatwave"\nday = 3',
        "what",
        "confounder[0].what",
        ("did you mean 'heat_wave'", "guests"),
    ),
    "confounder without a time": (
        '[[confounder]]\nwhat = "guests"\ndays = 3',
        "[[confounder]]",
        "confounder[0]",
        ("exactly one of date, day and per_year",),
    ),
    "version of no update": (
        '[[confounder]]\nwhat = "guests"\nday = 3\nto_firmware = "3.0"',
        "to_firmware",
        "confounder[0].to_firmware",
        ("firmware_update",),
    ),
    "unknown lot": (
        '[[fault]]\nfault = "refrigerator.condenser_fan_wear"\nlot = "B"\nday = 1',
        "lot",
        "fault[0].lot",
        ("no lot in this fleet 'B'", "A"),
    ),
    "unknown weight": (
        '[faults.weights]\n"refrigerator.condenser_fn_wear" = 2.0',
        '"refrigerator.',
        "faults.weights.refrigerator.condenser_fn_wear",
        ("did you mean 'refrigerator.condenser_fan_wear'",),
    ),
    "kind that is not there": ('[faults]\nkinds = ["freezer"]', "kinds", "faults.kinds", ("refrigerator",)),
    "worn days turned round": ("[faults]\nworn_days = [9, 3]", "worn_days", "faults.worn_days", ("must not exceed",)),
    "scene": (
        '[[people.scene]]\ndevice = "frige-003"\nshows = "quote"',
        "device",
        "people.scene[0].device",
        ("did you mean 'fridge-003'",),
    ),
    "network part": (
        '[[network.part]]\nkind = "washing-machine"\nloss = 0.1',
        "kind",
        "network.part[0].kind",
        ("did you mean 'washing_machine'",),
    ),
    "network share": ("[network]\nduplicates = 2", "duplicates", "network.duplicates", ("≤ 1",)),
    "costs": ("[costs]\nvist = 2", "vist", "costs.vist", ("did you mean 'visit'",)),
    "people": ("[people]\nignors = 0.1", "ignors", "people.ignors", ("did you mean 'ignores'",)),
    "habits of what has no runs": ("[habits.refrigerator]\nstarts = 2", "[habits", "habits.refrigerator", ("washing",)),
    "unknown programme": (
        "[habits.washing_machine]\nprogrammes = {eco5 = 1.0}",
        "programmes",
        "habits.washing_machine.programmes.eco5",
        ("did you mean 'eco50'",),
    ),
    "no programme left": (
        "[habits.washing_machine]\nprogrammes = {eco50 = 0, quick30 = 0, cotton40 = 0, cotton60 = 0}",
        "programmes",
        "habits.washing_machine.programmes",
        ("weight 0",),
    ),
    "model of no kind": ("[models.fridge.x]\n", "[models", "models.fridge", ("refrigerator",)),
    "model like none": (
        '[models.refrigerator.x]\nlike = "lx2600"',
        "like",
        "models.refrigerator.x.like",
        ("did you mean 'lx260'",),
    ),
    "model with a parameter that is none": (
        '[models.refrigerator.x]\nlike = "lx260"\nparameters = {fan_rmp = 1100}',
        "parameters",
        "models.refrigerator.x.parameters.fan_rmp",
        ("did you mean 'fan_rpm'",),
    ),
    "model without parameters": (
        "[models.refrigerator.x]\nparameters = {fan_rpm = 1100}",
        "parameters",
        "models.refrigerator.x.parameters",
        ("ua_fridge", "like"),
    ),
    "fault without a mechanism": (
        "[define.fault.refrigerator.ice]\nlead_days = [3, 5]",
        "[define",
        "define.fault.refrigerator.ice.mechanism",
        ("is missing",),
    ),
    "fault without a lead": (
        "[define.fault.refrigerator.ice]\nmechanism = {fan_rpm = {factor = 0.5}}",
        "[define",
        "define.fault.refrigerator.ice.lead_days",
        ("is missing", "a list of 2"),
    ),
    "fault with an unknown field": (
        "[define.fault.refrigerator.ice]\nleaddays = [3, 5]\nmechanism = {fan_rpm = {factor = 0.5}}",
        "leaddays",
        "define.fault.refrigerator.ice.leaddays",
        ("did you mean 'lead_days'",),
    ),
    "fault on a target that is none": (
        "[define.fault.refrigerator.ice]\nlead_days = [3, 5]\nmechanism = {fan_rmp = {factor = 0.5}}",
        "mechanism",
        "define.fault.refrigerator.ice.mechanism.fan_rmp",
        ("did you mean 'fan_rpm'",),
    ),
    "fault of a plug on a target that is none": (
        "[define.fault.smart_plug.drift]\nlead_days = [3, 5]\nmechanism = {fan_rpm = {factor = 0.5}}",
        "mechanism",
        "define.fault.smart_plug.drift.mechanism.fan_rpm",
        ("sensor.power",),
    ),
    "fault of a plug seen from none": (
        '[define.fault.smart_plug.hum]\nlead_days = [3, 5]\nseen_from = ["freezer.fan"]',
        "seen_from",
        "define.fault.smart_plug.hum.seen_from",
        ("no fault 'freezer.fan'",),
    ),
    "influence that is none": (
        "[define.fault.refrigerator.ice]\nlead_days = [3, 5]\nmechanism = {fan_rpm = {times = 0.5}}",
        "mechanism",
        "define.fault.refrigerator.ice.mechanism.fan_rpm.times",
        ("unknown key", "factor"),
    ),
    "confounder on a target that is none": (
        '[define.confounder.party.influences]\n"habit.opening" = {factor = 2}',
        '"habit.opening"',
        "define.confounder.party.influences.habit.opening",
        ("did you mean 'habit.openings'",),
    ),
    "confounder with an unknown scope": (
        '[define.confounder.party]\nscope = "street"',
        "scope",
        "define.confounder.party.scope",
        ("'region' or 'home' or 'device'",),
    ),
    "combination of one": (
        '[define.combination.both]\nkind = "refrigerator"\nfaults = ["condenser_fan_wear"]',
        "faults",
        "define.combination.both.faults",
        ("with at least 2",),
    ),
    "combination of what is not there": (
        '[define.combination.both]\nkind = "refrigerator"\nfaults = ["condenser_fan_wear", "bearing_wear"]',
        "faults",
        "define.combination.both.faults",
        ("no fault of refrigerator 'bearing_wear'",),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_scenario_names_file_line_key_and_what_is_allowed(name: str) -> None:
    text, marked, key, said = WRONG[name]
    whole = (HEAD + FLEET + text).splitlines()
    at = len((HEAD + FLEET).splitlines()) + 1 + next(i for i, one in enumerate(text.splitlines()) if marked in one)
    with pytest.raises(ScenarioError) as caught:
        scenario(text)
    error = caught.value
    assert (error.file, error.key) == ("some.toml", key)
    assert error.line == at, whole[at - 1]
    assert str(error).startswith(f"some.toml:{at}: {key}: ")
    for words in said:
        assert words in str(error)


def test_a_file_without_a_title_says_so() -> None:
    with pytest.raises(ScenarioError, match=r"some\.toml: title: is missing"):
        scenario("", head='id = "some"\n')


def test_a_fleet_of_nothing_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no device"):
        scenario("", fleet='[[fleet]]\nkind = "refrigerator"\ncount = 0\n')


def test_an_unknown_scenario_is_refused_with_the_nearest() -> None:
    with pytest.raises(FileNotFoundError, match="did you mean 'calm-year'"):
        load_scenario("calmyear")
    with pytest.raises(FileNotFoundError, match="missing"):
        load_scenario("/nowhere/missing.toml")


def test_lines_survive_strings_lists_and_comments() -> None:
    lines = Lines(
        'a = """\n[[not]]\nb = 1\n"""\n'
        "list = [ # [\n  1,\n  2,\n]\n"
        '[t."x.y"] # a table\n'
        "k = '# no comment' # one\n"
        "[[s]]\nd.e = 1\n[[s]]\n[s.sub]\nf = {g = 1}\n"
    )
    found = {key: lines[key] for key in ("a", "b", "list", "t.x.y", "t.x.y.k", "s[0].d.e", "s[1]", "s[1].sub.f.g")}
    expected = {"a": 1, "b": None, "list": 5, "t.x.y": 9, "t.x.y.k": 10, "s[0].d.e": 12, "s[1]": 13}
    assert found == expected | {"s[1].sub.f.g": 15}


def test_a_message_without_a_path_is_about_the_top() -> None:
    assert explain("Expected `object`, got `int`", {}, int) == (
        "(top)",
        "Expected `object`, got `int`; allowed: a whole number",
    )


def test_a_date_is_judged_by_the_usual_start_where_none_is_told() -> None:
    text = 'id = "x"\ntitle = "x"\n[[fleet]]\nkind = "freezer"\ncount = 1\n[[fault]]\nfault = "refrigerant_leak"\n'
    text += 'kind = "freezer"\ndate = 2046-02-20\n'
    with pytest.raises(ScenarioError, match=r"x.toml:9: fault\[0\].date: .*2026-03-02.*; write `start`"):
        read_scenario(text, "x.toml")
    assert read_scenario("start = 2046-01-01T00:00:00Z\n" + text, "x.toml").fault
